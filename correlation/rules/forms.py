"""What people type into the page of a rule."""

from __future__ import annotations

from typing import Any

import yaml
from django import forms

from correlation.rules.documents import BadRule, parse_rule
from correlation.rules.pack import shipped_rules
from correlation.rules.shelf import Shelved
from correlation.rules.vocabulary import MOST_BOOST, MOST_PRIORITY, ROLES, USER_PRIORITY

PARTS = ("any", "all", "unless")
LONGEST_CONDITIONS = 20_000
START = """\
any:
  - {log: "payment gateway (timed out|unreachable)", weight: 1.2}
  - {signal: client_error_ratio, by: 0.1, direction: up}
"""


class _Loader(yaml.SafeLoader):
    """Without aliases: a few lines of them can stand for gigabytes."""

    def compose_node(self, parent: Any, index: int) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed here")
        return super().compose_node(parent, index)


class RuleForm(forms.Form):
    """A rule; `definition` holds it once the form is valid, None where it is as shipped."""

    name = forms.CharField(max_length=63, help_text="Lower-case letters, digits and hyphens.")
    kind = forms.CharField(
        label="Kind of cause",
        max_length=64,
        help_text="Such as disk_full, or a word of your own; any for a rule that only raises or "
        "caps.",
    )
    title = forms.CharField(
        required=False,
        max_length=200,
        help_text="{service} is the service. Without a title the rule names nothing.",
    )
    advice = forms.CharField(
        label="Check next",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    conditions = forms.CharField(
        max_length=LONGEST_CONDITIONS,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "code"}),
        help_text="YAML: any, all and unless, each a list of conditions.",
    )
    priority = forms.IntegerField(
        min_value=1,
        max_value=MOST_PRIORITY,
        initial=USER_PRIORITY,
        help_text="1 to 1000, lower goes first. Shipped rules have 1000.",
    )
    boost = forms.FloatField(
        label="Raise by",
        required=False,
        min_value=0,
        max_value=MOST_BOOST,
        help_text="0 to 0.5 of what the evidence lacks to certain.",
    )
    cap = forms.FloatField(
        label="Cap at",
        required=False,
        min_value=0,
        max_value=1,
        help_text="0 to 1; below 0.10 the cause is not listed.",
    )
    services = forms.CharField(
        label="Only these services",
        required=False,
        max_length=2000,
        help_text="Names, separated by spaces; * stands for any letters. Empty: all.",
    )
    roles = forms.MultipleChoiceField(
        label="Only these roles",
        required=False,
        choices=[(role, role) for role in ROLES],
        widget=forms.CheckboxSelectMultiple,
    )
    enabled = forms.BooleanField(required=False, initial=True)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    definition: dict[str, Any] | None = None

    def clean_conditions(self) -> dict[str, Any]:
        try:
            read = yaml.load(self.cleaned_data["conditions"], Loader=_Loader)  # noqa: S506  (safe)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is no YAML: {error}") from error
        if not isinstance(read, dict):
            raise forms.ValidationError("Begin with any: and a list of conditions.")
        if unknown := sorted(str(key) for key in read if key not in PARTS):
            raise forms.ValidationError(f"Only any, all and unless belong here, not {unknown[0]}.")
        return read

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "conditions" not in cleaned:
            return cleaned
        document = {key: cleaned[key] for key in ("kind", "title", "advice") if cleaned.get(key)}
        document |= {k: v for k in ("boost", "cap") if (v := cleaned.get(k)) is not None}
        document |= {"roles": cleaned["roles"]} if cleaned.get("roles") else {}
        document |= {"services": s} if (s := cleaned.get("services", "").split()) else {}
        document |= cleaned["conditions"]
        try:
            parse_rule(document, cleaned.get("name", "-"), 1, shipped=False)
        except BadRule as error:
            self.tell(error)
        as_shipped = {rule.name: rule.document for rule in shipped_rules()}
        same = as_shipped.get(cleaned.get("name", "")) == document
        self.definition = None if same else document
        return cleaned

    def tell(self, error: BadRule) -> None:
        """Each message at its field; what lies inside the conditions with its path."""
        known = set(self.errors)
        for path, messages in error.problems.items():
            field = path if path in self.fields else "conditions"
            if field in known:  # the field itself is wrong already
                continue
            for message in messages:
                self.add_error(field, message if field == path else f"{path}: {message}")


def initial_of(one: Shelved) -> dict[str, Any]:
    """What the form of a rule starts with."""
    document = one.definition
    told = {key: document.get(key) for key in ("kind", "title", "advice", "boost", "cap", "roles")}
    return told | {
        "name": one.name,
        "enabled": one.enabled,
        "priority": one.priority,
        "services": " ".join(map(str, document.get("services") or ())),
        "conditions": as_yaml({part: document[part] for part in PARTS if part in document}),
        "version": one.version,
    }


def as_yaml(document: Any) -> str:
    """Readable YAML: a condition a line where it fits."""
    return yaml.safe_dump(
        document, sort_keys=False, allow_unicode=True, width=96, default_flow_style=None
    )

"""What people type to make or change an SLO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict

from accounts.models import validate_time_zone
from correlation.models import DataSource
from incidents.alert_rules.forms import Pairs
from incidents.models import Service
from slos.models import SLO
from slos.pages.policy_rows import PolicyRow, policies_json, rows_of, typed
from slos.stored import policies

CODE = {"spellcheck": "false", "class": "code", "rows": 2}
SPANS = {
    "7d": ("the last 7 days", "7d", True),
    "28d": ("the last 28 days", "28d", True),
    "30d": ("the last 30 days", "30d", True),
    "90d": ("the last 90 days", "90d", True),
    "1w": ("each week", "1w", False),
    "1M": ("each month", "1M", False),
    "1Q": ("each quarter", "1Q", False),
    "1Y": ("each year", "1Y", False),
}
OTHER = "other"
FIELD_OF = {
    "indicator.good": "part",
    "indicator.bad": "part",
    "indicator": "part",
    "indicator.total": "total",
    "indicator.histogram": "histogram",
    "indicator.seconds": "seconds",
    "indicator.query": "query",
    "indicator.op": "op",
    "indicator.value": "value",
    "target": "target_percent",
    "period": "span",
    "rolling": "rolling",
}
"""Which field holds the part of an SLO that was refused, where it has another name."""


class ServiceField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.slug} ({obj.environment})"


class SLOForm(forms.Form):
    """An SLO in the words of a page; `columns` are those of the model, once it is valid.

    `rows` are its policies as typed, `policy_error` what is wrong with them.
    """

    name = forms.CharField(
        max_length=63,
        help_text="Lower-case letters, digits and dashes; it cannot be changed later.",
        widget=forms.TextInput(
            attrs={"spellcheck": "false", "placeholder": "checkout-availability"}
        ),
    )
    display_name = forms.CharField(label="Title", max_length=200, required=False)
    description = forms.CharField(
        max_length=1050, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    service = ServiceField(Service.objects.order_by("environment", "slug"), empty_label="Choose")
    data_source = forms.ModelChoiceField(
        DataSource.objects.filter(kind=DataSource.Kind.PROMETHEUS).order_by("slug"),
        required=False,
        empty_label="The default of its environment",
    )
    kind = forms.ChoiceField(
        label="What is counted",
        choices=[
            ("ratio", "Good or bad events"),
            ("latency", "Requests that are fast enough"),
            ("threshold", "Samples of a gauge"),
        ],
        widget=forms.RadioSelect,
        initial="ratio",
    )
    counted = forms.ChoiceField(
        label="Counted are", choices=[("bad", "bad events"), ("good", "good events")], initial="bad"
    )
    part = forms.CharField(
        label="Good or bad events",
        required=False,
        max_length=4000,
        widget=forms.Textarea(
            attrs={**CODE, "placeholder": 'http_requests_total{service="a",status=~"5.."}'}
        ),
    )
    total = forms.CharField(
        label="All events",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={**CODE, "placeholder": 'http_requests_total{service="a"}'}),
        help_text="A counter's selector, or an expression of rates or increases over "
        "[{{.window}}].",
    )
    histogram = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(
            attrs={**CODE, "placeholder": 'http_request_duration_seconds{service="a"}'}
        ),
        help_text="Its selector without _bucket.",
    )
    seconds = forms.FloatField(
        label="Fast enough (s)",
        required=False,
        min_value=0,
        help_text="Where a bucket of the histogram ends.",
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": "0.2"}),
    )
    query = forms.CharField(
        label="Gauge", required=False, max_length=4000, widget=forms.Textarea(attrs=CODE)
    )
    op = forms.ChoiceField(
        label="Good when it is",
        choices=[("lt", "below"), ("lte", "at most"), ("gt", "above"), ("gte", "at least")],
        initial="lte",
    )
    value = forms.FloatField(required=False, widget=forms.NumberInput(attrs={"step": "any"}))
    target_percent = forms.DecimalField(
        label="Must be good (%)",
        max_digits=14,
        decimal_places=10,
        widget=forms.NumberInput(attrs={"step": "any", "placeholder": "99.9"}),
    )
    span = forms.ChoiceField(
        label="Of",
        choices=[
            *((key, words) for key, (words, _, _) in SPANS.items()),
            (OTHER, "another period"),
        ],
        initial="30d",
    )
    period = forms.CharField(
        label="Period", required=False, max_length=8, help_text="14d, 4w, 2M, 1Q."
    )
    rolling = forms.ChoiceField(
        label="Kind", choices=[("1", "rolling"), ("0", "by the calendar")], initial="1"
    )
    time_zone = forms.CharField(
        max_length=64,
        required=False,
        initial="UTC",
        help_text="Of calendar periods, such as Europe/Berlin.",
        validators=[validate_time_zone],
    )
    anchor = forms.CharField(
        label="First begins",
        required=False,
        max_length=19,
        help_text="Empty: at midnight, on Monday, on the first. Or 2026-01-15 06:00:00.",
    )
    least_events = forms.FloatField(
        label="Least events",
        min_value=0,
        initial=1,
        help_text="Fewer in a policy's long window never fire it.",
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    labels = Pairs(label="Labels", help_text="team = payments, one a line.")
    accept_no_data = forms.BooleanField(
        label="Save it although there is no data yet", required=False
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data: QueryDict | None = None, *, one: SLO | None = None, **options: Any
    ) -> None:
        options.setdefault("initial", initial_of(one) if one is not None else {})
        super().__init__(data, **options)
        self.fields["labels"].widget.attrs["rows"] = 2
        self.rows: list[PolicyRow] = []
        self.policy_errors: list[str] = []
        if data is not None:
            self.rows = typed(data)
        elif one is not None:
            self.rows = rows_of(policies(one.policies))
        if one is not None:
            self.fields["name"].disabled = True
            self.fields["name"].help_text = ""

    def columns(self) -> dict[str, Any]:
        """Of a valid form; raises ValueError for policies that are no numbers."""
        given = self.cleaned_data
        shorthand, rolling = given["period"], given["rolling"] == "1"
        if given["span"] != OTHER:
            _, shorthand, rolling = SPANS[given["span"]]
        plain = ("name", "display_name", "description", "service", "data_source", "least_events")
        return {
            **{name: given[name] for name in plain},
            "indicator": self._indicator(),
            "target": float(given["target_percent"] / Decimal(100)),
            "period": shorthand,
            "rolling": rolling,
            "time_zone": given["time_zone"] or "UTC",
            "anchor": "" if rolling else given["anchor"],
            "labels": dict(given["labels"]),
            "policies": policies_json(self.rows),
        }

    def _indicator(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given["kind"] == "ratio":
            return {"kind": "ratio", "total": given["total"], given["counted"]: given["part"]}
        if given["kind"] == "latency":
            seconds = given["seconds"] or 0.0
            return {"kind": "latency", "histogram": given["histogram"], "seconds": seconds}
        value = given["value"]
        return {
            "kind": "threshold",
            "query": given["query"],
            "op": given["op"],
            "value": 0.0 if value is None else value,
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == "threshold" and cleaned.get("value") is None:
            self.add_error("value", "Give the value to compare with.")
        if cleaned.get("span") == OTHER and not cleaned.get("period"):
            self.add_error("period", "Give the period, such as 14d.")
        return cleaned

    def refuse(self, errors: Mapping[str, Sequence[str]]) -> None:
        """What `slos.keeping` refused, at the fields that hold it."""
        for name, words in errors.items():
            if name == "policies":
                self.policy_errors += list(words)
                continue
            field = FIELD_OF.get(name, name)
            if field == "span" and self.cleaned_data.get("span") == OTHER:
                field = "period"
            for text in words:
                self.add_error(field if field in self.fields else None, text)


def initial_of(one: SLO) -> dict[str, Any]:
    """An SLO in the words of the form."""
    known = {(text, rolling): key for key, (_, text, rolling) in SPANS.items()}
    span = known.get((one.period, one.rolling), OTHER)
    indicator = one.indicator
    return {
        "name": one.name,
        "display_name": one.display_name,
        "description": one.description,
        "service": one.service_id,
        "data_source": one.data_source_id,
        "kind": indicator.get("kind", "ratio"),
        "counted": "good" if indicator.get("good") else "bad",
        "part": indicator.get("good") or indicator.get("bad", ""),
        **{n: indicator.get(n) for n in ("total", "histogram", "seconds", "query", "value")},
        "op": indicator.get("op", "lte"),
        "target_percent": Decimal(repr(one.target)) * 100,
        "span": span if not one.anchor else OTHER,
        "period": one.period,
        "rolling": "1" if one.rolling else "0",
        "time_zone": one.time_zone,
        "anchor": one.anchor,
        "least_events": one.least_events,
        "labels": one.labels,
        "version": one.version,
    }

"""System checks of the data sources that the environment configures: what a look at files shows.

studio.E010 Kubernetes credentials, E011 authorization, E012 TLS files, E013 address, E014 a login
in the address, E015 options. With <KIND>_OPTIONAL=1 they are warnings: studio.W010 and so on.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from correlation.data_sources.catalogue import ENVIRONMENT, environment_rows
from correlation.data_sources.fields import field_errors
from correlation.data_sources.problems import SetUpProblem, problems
from correlation.models import DataSource
from incidents.outbound.fields import without_login

_NUMBERS = {"auth_variable": 11, "auth_file": 11, "url": 13, "grafana_url": 13}


@register()
def check_data_sources(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for row in environment_rows():
        kind = Error if row.required else Warning
        letter = "E" if row.required else "W"
        for one in _found(row):
            found.append(
                kind(_sentence(one.text), one.hint, row.slug, f"studio.{letter}{one.number:03}")
            )
    return found


def _found(row: DataSource) -> list[SetUpProblem]:
    there = problems(row)
    numbers = {one.number for one in there}
    variable = ENVIRONMENT[DataSource.Kind(row.kind)]
    address = getattr(settings, variable)
    if row.url and without_login(address) != address:
        hint = f"Name the variable that holds it in {row.kind.upper()}_AUTH_VARIABLE."
        there.append(SetUpProblem(14, f"{variable} holds a login, which is not stored", hint))
    for field, messages in field_errors(row).items():
        number = _NUMBERS.get(field, 15)
        if number not in numbers:
            text = f"data source {row.slug}, {field}: {' '.join(messages)}"
            there.append(SetUpProblem(number, text, f"Correct the variables of {row.slug}."))
    return there


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."

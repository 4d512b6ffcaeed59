"""System checks: a bad environment is refused with an id, a reason and a hint."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from reliability_studio import environment


@register()
def check_environment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(problem.message, hint=problem.hint, id=problem.id, obj=problem.variable)
        for problem in environment.PROBLEMS
    ]

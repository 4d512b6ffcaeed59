"""The correlation key of an alert: alerts with one key share an incident. Pure."""

from __future__ import annotations

KEY_LENGTH = 300


def service_key(environment: str, service: str) -> str:
    """The key of whatever alerts about the service."""
    return f"service:{environment}:{service}"[:KEY_LENGTH]


def default_key(environment: str, service: str | None, alertname: str) -> str:
    """By service; by the alert's name where it names none."""
    if service:
        return service_key(environment, service)
    return f"alert:{environment}:{alertname}"[:KEY_LENGTH]

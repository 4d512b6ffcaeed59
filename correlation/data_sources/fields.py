"""Which values a data source's fields may have together; no I/O, the same for API and admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from correlation.data_sources.options import check_options
from incidents.outbound.fields import Errors, address_errors, secret_errors

if TYPE_CHECKING:
    from correlation.models import DataSource

ENVIRONMENT_OWNS = (
    "slug",
    "kind",
    "url",
    "kubeconfig",
    "tenant",
    "auth_variable",
    "auth_file",
    "ca_file",
    "required",
    "grafana_url",
    "grafana_uid",
)
"""Fields of a row of origin `environment` that follow its variables at every start."""

_KUBECONFIG = ("kubeconfig", "context")
_HTTP_ONLY = (
    "auth_variable",
    "auth_file",
    "ca_file",
    "client_certificate_file",
    "client_key_file",
)


def field_errors(row: DataSource) -> Errors:
    """What is wrong, messages by field."""
    errors: Errors = {}

    def refuse(field: str, message: str) -> None:
        errors.setdefault(field, []).append(message)

    by_credentials = row.kind == "kubernetes" and not row.url
    if row.kind != "kubernetes" or row.url:
        for message in address_errors(row.url):
            refuse("url", message)
        for field in _KUBECONFIG:
            if getattr(row, field):
                why = (
                    "the URL is asked" if row.kind == "kubernetes" else "it is for Kubernetes only"
                )
                refuse(field, f"Leave it empty: {why}.")
    if by_credentials:
        for field in _HTTP_ONLY:
            if getattr(row, field):
                refuse(field, "Leave it empty: the kubeconfig or the pod's own credentials say it.")
        if not row.verify_tls:
            refuse("verify_tls", "Leave it on: the kubeconfig says it.")
    if row.kind == "kubernetes" and row.tenant:
        refuse("tenant", "Leave it empty: Kubernetes has no tenants.")
    if row.grafana_url:
        for message in address_errors(row.grafana_url):
            refuse("grafana_url", message)
    for field, messages in secret_errors(row.auth_variable, row.auth_file).items():
        for message in messages:
            refuse(field, message)
    if bool(row.client_certificate_file) != bool(row.client_key_file):
        missing = "client_key_file" if row.client_certificate_file else "client_certificate_file"
        refuse(missing, "A client certificate needs its key, and a key its certificate.")
    if any(c in row.tenant for c in "\r\n\x00") or not row.tenant.isascii():
        refuse("tenant", "Use plain text on one line.")
    if not isinstance(row.options, dict):
        refuse("options", "Give an object: {option: value}.")
    else:
        for name, why in check_options(row.kind, row.options).items():
            refuse("options", f"{name} {why}.")
    return errors

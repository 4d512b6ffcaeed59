"""Which values a data source's fields may have together; no I/O, the same for API and admin."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from correlation.data_sources.options import check_options
from correlation.data_sources.secrets import OWN_SECRETS, secret_path

if TYPE_CHECKING:
    from correlation.models import DataSource

Errors = dict[str, list[str]]

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
    if row.auth_variable in OWN_SECRETS:
        refuse("auth_variable", f"{row.auth_variable} is a secret of the product itself.")
    if row.auth_variable and row.auth_file:
        refuse("auth_file", "Name a variable or a file, not both.")
    if row.auth_file and not _under_secrets(row.auth_file):
        refuse("auth_file", "Name a file under SECRETS_DIR.")
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


def address_errors(url: str) -> list[str]:
    """Why a text is no address to ask."""
    if not url:
        return ["Give the address, such as https://prometheus.example.com."]
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return ["This is no URL."]
    if any(c.isspace() or not c.isprintable() for c in url):
        return ["A URL has no spaces and no control characters."]
    if "@" in parts.netloc:
        return ["No user:password@ here: it would be stored. Name a variable in auth_variable."]
    if parts.scheme not in ("http", "https"):
        return ["Begin with http:// or https://."]
    if not parts.hostname:
        return ["The URL names no host."]
    if parts.query or parts.fragment:
        return ["Leave out what follows ? or #: give the base address."]
    return []


def _under_secrets(file: str) -> bool:
    try:
        return secret_path(file) is not None
    except (OSError, ValueError, RuntimeError):
        return False

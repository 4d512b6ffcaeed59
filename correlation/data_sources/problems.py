"""Why a data source cannot be asked as it is set up, known without asking it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from correlation.cluster.kubeconfig import kubeconfig_problem
from correlation.models import DataSource
from incidents.outbound.secrets import SecretMissing, authorization, file_problem

TLS_FILES = {
    "ca_file": "CA file",
    "client_certificate_file": "client certificate",
    "client_key_file": "client key",
}


@dataclass(frozen=True)
class SetUpProblem:
    """`number` is that of the system check; `text` names the data source where it must."""

    number: int
    text: str
    hint: str


def problems(row: DataSource) -> list[SetUpProblem]:
    """What is wrong with the row here and now: in this process, with these files."""
    if row.kind == DataSource.Kind.KUBERNETES and not row.url:
        wrong = kubeconfig_problem(row.kubeconfig, row.context)
        hint = "Correct KUBECONFIG or the file, or set KUBERNETES_OPTIONAL=1 to do without."
        return [SetUpProblem(10, wrong, hint)] if wrong else []
    found = []
    try:
        authorization(f"data source {row.slug}", row.auth_variable, row.auth_file)
    except SecretMissing as missing:
        found.append(SetUpProblem(11, str(missing), "It holds the Authorization header's value."))
    if wrong := _tls_problem(row):
        found.append(SetUpProblem(12, wrong, "Give the path of a readable PEM file."))
    if row.url and not usable_url(row.url):
        text = f"the address of data source {row.slug} is not a usable URL"
        found.append(SetUpProblem(13, text, "Give an absolute URL with http:// or https://."))
    return found


def problem(row: DataSource) -> str:
    """The first of them in words, "" when there is none."""
    return next((one.text for one in problems(row)), "")


def _tls_problem(row: DataSource) -> str:
    for column, words in TLS_FILES.items():
        path = getattr(row, column)
        if path and (why := file_problem(path)):
            return f"the {words} {path} named by data source {row.slug} cannot be read: {why}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    named = f"named by data source {row.slug}"
    try:
        if row.ca_file:
            context.load_verify_locations(row.ca_file)
    except (OSError, ValueError):
        return f"the CA file {row.ca_file} {named} holds no certificate"
    try:
        if row.client_certificate_file and row.client_key_file:
            # a password would be asked for on the terminal: an encrypted key is refused instead
            context.load_cert_chain(
                row.client_certificate_file, row.client_key_file, password=lambda: b""
            )
    except (OSError, ValueError):
        return (
            f"the client certificate {row.client_certificate_file} and its key {named} do not fit"
        )
    return ""


def usable_url(url: str) -> bool:
    """Whether it is an absolute http(s) URL that names a host and a port up to 65535."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    bare = not any(c.isspace() or not c.isprintable() for c in url)
    return bare and parts.scheme in ("http", "https") and bool(parts.hostname)

"""Which addresses and secrets a row that is asked over HTTP may name; no I/O."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from incidents.outbound.secrets import OWN_SECRETS, secret_path

Errors = dict[str, list[str]]


def http_errors(url: str, auth_variable: str, auth_file: str) -> Errors:
    """What is wrong, messages by field: `url`, `auth_variable`, `auth_file`."""
    found = {"url": address_errors(url), **secret_errors(auth_variable, auth_file)}
    return {field: messages for field, messages in found.items() if messages}


def secret_errors(auth_variable: str, auth_file: str) -> Errors:
    """What is wrong with where a secret is said to be, messages by field."""
    return named_errors("auth", auth_variable, auth_file)


def named_errors(what: str, variable: str, file: str) -> Errors:
    """What is wrong with the columns `{what}_variable` and `{what}_file`."""
    errors: Errors = {}
    if variable in OWN_SECRETS:
        errors[f"{what}_variable"] = [f"{variable} is a secret of the product itself."]
    if variable and file:
        errors.setdefault(f"{what}_file", []).append("Name a variable or a file, not both.")
    if file and not _under_secrets(file):
        errors.setdefault(f"{what}_file", []).append("Name a file under SECRETS_DIR.")
    return errors


def address_errors(url: str) -> list[str]:
    """Why a text is no address to ask."""
    if not url:
        return ["Give the address, such as https://prometheus.example.com."]
    if errors := link_errors(url):
        return errors
    parts = urlsplit(url)
    if "@" in parts.netloc:
        return ["No user:password@ here: it would be stored. Name a variable in auth_variable."]
    if parts.query or parts.fragment:
        return ["Leave out what follows ? or #: give the base address."]
    return []


def link_errors(url: str) -> list[str]:
    """Why a text is no address to lead people to; hosts without a dot are fine."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return ["This is no URL."]
    if any(c.isspace() or not c.isprintable() for c in url):
        return ["A URL has no spaces and no control characters."]
    if parts.scheme not in ("http", "https"):
        return ["Begin with http:// or https://."]
    if not parts.hostname:
        return ["The URL names no host."]
    return []


def _under_secrets(file: str) -> bool:
    try:
        return secret_path(file) is not None
    except (OSError, ValueError, RuntimeError):
        return False


def without_login(url: str) -> str:
    """The URL without `user:password@`: secrets are not stored."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

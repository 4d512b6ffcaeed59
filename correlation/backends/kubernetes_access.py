"""Ways into a cluster: the official client's ApiClient, one for each set of credentials.

Kubeconfig (with exec plugins and token refresh), in-cluster service account, or a plain address
(`kubectl proxy`). Each has its own Configuration; the client's global default is left alone.

Plugins and OIDC servers may hang, and the client waits for them without a limit. So they run in
threads of their own: who asks waits as long as it may, and the next one for the same credentials
waits for the same run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml
from kubernetes import client, config
from kubernetes.config.incluster_config import SERVICE_TOKEN_FILENAME

from correlation.sources import Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError, plain
from incidents.outbound.guard import GUARDED_POOLS

NAMESPACE_FILE = Path(SERVICE_TOKEN_FILENAME).with_name("namespace")
DEFAULT_NAMESPACE = "default"

_POOL_CONNECTIONS = 256
"""Connections kept for one cluster; as in `http`, the pool does not block."""

OPEN_SECONDS = 10.0
"""How long the credentials may take where the caller has no deadline."""

Found = TypeVar("Found")

_accesses: dict[Hashable, Future[Access]] = {}
_lock = threading.Lock()


@dataclass
class Access:
    """One cluster as one account; `namespace` is the one its credentials stand in."""

    api: Any
    address: str
    namespace: str
    lock: threading.Lock = field(default_factory=threading.Lock)

    def headers(self, wait_seconds: float) -> dict[str, str] | None:
        """What to send with a request; tokens are refreshed when due (which may run a plugin).

        None when another thread's refresh takes longer than `wait_seconds`.
        """
        ends = Deadline(wait_seconds)
        if not self.lock.acquire(timeout=wait_seconds):
            return None
        read = _in_a_thread(self._headers, self.lock.release)
        try:
            return read.result(timeout=ends.remaining())
        except TimeoutError:
            return None

    def _headers(self) -> dict[str, str]:
        headers = {**self.api.default_headers, "Accept": "application/json"}
        self.api.update_params_for_auth(headers, [], ["BearerToken"])
        return headers


def access(source: Source, wait_seconds: float = OPEN_SECONDS) -> Access:
    """The way into the source's cluster, kept for this process until the kubeconfig changes.

    Raises BackendError when there are no usable credentials within `wait_seconds`.
    """
    try:
        key = _key(source)
        with _lock:
            if key not in _accesses or _failed(_accesses[key]):
                _accesses[key] = _in_a_thread(lambda: _open(source))
            opened = _accesses[key]
        wait([opened], wait_seconds)
        if not opened.done():
            why = f"the credentials were not ready within {wait_seconds:.2g} s"
            hint = (
                "does the kubeconfig's plugin hang?" if source.kubeconfig else "is the disk slow?"
            )
            raise BackendError("timeout", f"{why} ({hint})", source=source.label)
        return opened.result()
    except yaml.YAMLError:
        raise _unusable(source, f"kubeconfig {source.kubeconfig} is not YAML") from None
    except OSError as error:
        name = error.filename or source.kubeconfig
        why = (error.strerror or type(error).__name__).lower()
        raise _unusable(source, f"{name}: {why}") from None
    except config.ConfigException as error:
        raise _unusable(source, str(error)) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # the client reads a kubeconfig of the wrong shape without checking it
        where = f"kubeconfig {source.kubeconfig} has the wrong shape"
        raise _unusable(source, f"{where} ({type(error).__name__})") from error


def renew(source: Source, old: Access, wait_seconds: float) -> Access:
    """Read the credentials anew, because the cluster refused those of `old`."""
    with _lock:
        for key, kept in list(_accesses.items()):
            if kept.done() and not kept.exception() and kept.result() is old:
                del _accesses[key]
    return access(source, wait_seconds)


def _failed(opened: Future[Access]) -> bool:
    return opened.done() and opened.exception() is not None


def _in_a_thread(
    work: Callable[[], Found], last: Callable[[], None] | None = None
) -> Future[Found]:
    """What `work` gives or raises; `last` runs when it has ended, however."""
    found: Future[Found] = Future()

    def run() -> None:
        try:
            found.set_result(work())
        except BaseException as error:  # for who waits
            found.set_exception(error)
        finally:
            if last:
                last()

    threading.Thread(target=run, name="cluster-credentials", daemon=True).start()
    return found


def _unusable(source: Source, why: str) -> BackendError:
    return BackendError("refused", f"credentials cannot be used: {plain(why)}", source=source.label)


def _paths(source: Source) -> list[str]:
    return [os.path.expanduser(path) for path in source.kubeconfig.split(os.pathsep) if path]


def _key(source: Source) -> Hashable:
    """Processes do not share connections; a rewritten kubeconfig is read again."""
    files = tuple((path, os.stat(path).st_mtime_ns) for path in _paths(source))
    headers = tuple(sorted(source.headers.items()))
    return (
        os.getpid(), files, source.context, source.url, headers, source.verify,
        source.client_certificate,
    )  # fmt: skip


def _open(source: Source) -> Access:
    settings = type.__call__(client.Configuration)  # not a copy of the global default
    settings.proxy = None  # what is configured is what is asked
    settings.connection_pool_maxsize = _POOL_CONNECTIONS
    namespace = DEFAULT_NAMESPACE
    if source.kubeconfig:
        files = os.pathsep.join(_paths(source))
        context = source.context or None
        config.load_kube_config(files, context, settings, persist_config=False)
        namespace = _context_namespace(files, source.context)
    elif source.url:
        settings.host = source.url
    else:
        config.load_incluster_config(client_configuration=settings)
        if NAMESPACE_FILE.is_file():
            namespace = NAMESPACE_FILE.read_text().strip() or DEFAULT_NAMESPACE
    if isinstance(source.verify, str):
        settings.ssl_ca_cert = source.verify
    elif not source.verify:
        settings.verify_ssl = False
    if source.client_certificate:
        settings.cert_file, settings.key_file = source.client_certificate
    parts = urlsplit(settings.host)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise config.ConfigException("the server's address must begin with http:// or https://")
    api = client.ApiClient(configuration=settings)
    api.rest_client.pool_manager.pool_classes_by_scheme = GUARDED_POOLS
    if source.url and not source.kubeconfig:
        for name, value in source.headers.items():
            api.set_default_header(name, value)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Access(api, f"{parts.hostname}:{port}", namespace)


def _context_namespace(files: str, context: str) -> str:
    contexts, active = config.list_kube_config_contexts(files)
    chosen = next((one for one in contexts if one["name"] == context), active)
    return str(chosen["context"].get("namespace") or DEFAULT_NAMESPACE)

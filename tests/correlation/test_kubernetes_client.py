"""The client on recorded answers of a real API server, and on credentials that do not work."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from correlation.backends import kubernetes as module
from correlation.backends.kubernetes import KubernetesApi, list_path
from correlation.backends.kubernetes_answers import Permission
from correlation.sources import Source
from incidents.outbound.deadline import Deadline
from incidents.outbound.errors import BackendError
from tests.correlation.cluster_server import (
    Answer,
    ClusterServer,
    Params,
    answer,
    cluster_server,
    kubeconfig,
    listing,
    recorded,
    recording,
    source,
)

PODS = "/api/v1/namespaces/prod/pods"
STUDIO = "system:serviceaccount:monitoring:studio"


@pytest.fixture
def server() -> Iterator[ClusterServer]:
    with cluster_server() as running:
        yield running


def soon() -> Deadline:
    return Deadline(10.0)


def api_of(server: ClusterServer, directory: Path, **columns: Any) -> KubernetesApi:
    return KubernetesApi(source(directory, kubeconfig(server.url), **columns), retries=0)


def replay(server: ClusterServer, name: str) -> None:
    server.respond = lambda path, params: recorded(name)


REFUSALS = {
    "anonymous_403": "forbidden: system:anonymous may not list pods in namespace prod "
    "(no credentials were sent: check the kubeconfig's user and its plugin)",
    "events_new_api_403": f"forbidden: {STUDIO} may not list events.events.k8s.io "
    "in namespace prod",
    "forbidden_service_account_403": "forbidden: system:serviceaccount:monitoring:powerless "
    "may not list pods in namespace prod",
    "namespaces_403": f"forbidden: {STUDIO} may not list namespaces in the whole cluster",
    "nodes_403": f"forbidden: {STUDIO} may not list nodes in the whole cluster",
    "pod_log_403": f"forbidden: {STUDIO} may not get pods/log in namespace staging",
    "pods_all_namespaces_403": f"forbidden: {STUDIO} may not list pods in the whole cluster",
    "pods_namespace_missing_403": f"forbidden: {STUDIO} may not list pods in namespace "
    "no-such-namespace",
    "secrets_403": f"forbidden: {STUDIO} may not list secrets in namespace prod",
    "write_403": f"forbidden: {STUDIO} may not delete pods in namespace prod",
    "unauthorized_bad_token_401": "answered 401 (unauthorized: check the credentials or the "
    "tenant)",
    "metrics_api_404": "answered 404 (not found: check the address and its path): "
    "404 page not found",
    "unknown_group_404": "answered 404 (not found: check the address and its path): "
    "404 page not found",
    "unknown_path_404": "answered 404 (not found: check the address and its path): the server "
    "could not find the requested resource",
    "pods_get_404": "answered 404 (not found: check the address and its path): "
    'pods "nope" not found',
    "pods_namespace_get_404": "answered 404 (not found: check the address and its path): "
    'namespaces "no-such-namespace" not found',
    "pods_bad_continue_400": "answered 400 (bad request): invalid continue token: continue key "
    "is not valid: invalid character '\\x81' looking for beginning of value",
    "pods_bad_field_selector_400": "answered 400 (bad request): field label not supported: "
    "spec.foo",
    "pods_bad_label_selector_400": "answered 400 (bad request): unable to parse requirement: "
    "found '!', expected: identifier",
    "pods_bad_limit_400": 'answered 400 (bad request): strconv.ParseInt: parsing "abc": '
    "invalid syntax",
    "pod_log_unavailable": "answered 500 (internal error): no preferred addresses found; known "
    "addresses: []",
    "pods_table": "answered JSON that is not a Kubernetes list",
    "pods_get": "answered JSON that is not a Kubernetes list",
    "watch_pods": "answered something that is not JSON",
    "watch_too_old_410": "answered JSON that is not a Kubernetes list",
    "readyz": "answered something that is not JSON",
    "version": "answered JSON that is not a Kubernetes list",
}


@pytest.mark.parametrize(("name", "detail"), REFUSALS.items(), ids=REFUSALS.keys())
def test_list_refuses_a_recorded_answer_in_plain_words(
    name: str, detail: str, server: ClusterServer, tmp_path: Path
) -> None:
    replay(server, name)

    with pytest.raises(BackendError) as caught:
        api_of(server, tmp_path).list(PODS, soon())

    assert caught.value.detail == detail


LISTS = {
    "pods_by_label": 3,
    "pods_by_label_set": 1,
    "pods_by_name": 1,
    "pods_by_phase": 0,
    "pods_empty_selector": 0,
    "pods_namespace_missing": 0,
    "pods_partial_metadata": 3,
    "pods_staging": 2,
    "events_all": 21,
    "events_new_api": 21,
    "events_none": 0,
    "nodes": 1,
    "replicasets": 2,
    "statefulsets": 1,
}


@pytest.mark.parametrize(("name", "count"), LISTS.items(), ids=LISTS.keys())
def test_list_reads_a_recorded_list_without_managed_fields(
    name: str, count: int, server: ClusterServer, tmp_path: Path
) -> None:
    status, kind, body = recorded(name)
    server.respond = lambda path, params: (
        (status, kind, body) if "continue" not in params else listing()
    )

    found = api_of(server, tmp_path).list(PODS, soon())

    assert len(found.items) == count
    assert not any("managedFields" in item["metadata"] for item in found.items)


def pages(path: str, params: Params) -> Answer:
    """The recorded pages, each for the token it was asked with."""
    token = params.get("continue", [None])[0]
    names = [f"pods_page_{number}" for number in (1, 2, 3)]
    asked_with = {recording(name)["request"]["params"].get("continue"): name for name in names}
    return recorded(asked_with[token])


def test_list_follows_recorded_pages(server: ClusterServer, tmp_path: Path) -> None:
    server.respond = pages

    found = api_of(server, tmp_path).list(PODS, soon())

    assert (len(found.items), found.requests, found.truncated) == (8, 3, "")
    assert server.tokens == ["Bearer s3cret"] * 3


def test_list_begins_again_once_when_its_token_expired(
    server: ClusterServer, tmp_path: Path
) -> None:
    answers = iter(
        ["pods_page_1", "pods_expired_continue_410", "pods_page_1", "pods_page_2", "pods_page_3"]
    )
    server.respond = lambda path, params: recorded(next(answers))

    found = api_of(server, tmp_path).list(PODS, soon())

    assert (len(found.items), found.requests) == (8, 5)
    assert server.asked == [PODS, f"{PODS}?continue", PODS, f"{PODS}?continue", f"{PODS}?continue"]


def test_list_gives_up_when_its_token_expires_again(server: ClusterServer, tmp_path: Path) -> None:
    server.respond = lambda path, params: recorded(
        "pods_expired_continue_410" if "continue" in params else "pods_page_1"
    )

    with pytest.raises(BackendError) as caught:
        api_of(server, tmp_path).list(PODS, soon())

    assert (caught.value.status, len(server.asked)) == (410, 4)


def test_list_says_where_it_stopped(server: ClusterServer, tmp_path: Path) -> None:
    many = [{"metadata": {"name": f"p{n}"}} for n in range(module.MAX_ITEMS + 1)]
    server.respond = lambda path, params: listing(*many)

    found = api_of(server, tmp_path).list(PODS, soon())

    assert len(found.items) == module.MAX_ITEMS
    assert found.truncated == "only the first 10000 pods were read"


def test_list_takes_null_items_for_none(server: ClusterServer, tmp_path: Path) -> None:
    server.respond = lambda path, params: answer({"kind": "PodList", "metadata": {}, "items": None})

    assert api_of(server, tmp_path).list(PODS, soon()).items == ()


def test_list_reads_no_more_than_its_limit(server: ClusterServer, tmp_path: Path) -> None:
    server.respond = lambda path, params: recorded("pods_by_label")
    api = api_of(server, tmp_path, options={"max_bytes": 1000})

    with pytest.raises(BackendError) as caught:
        api.list(PODS, soon())

    assert caught.value.detail == "answered more than 0.001 MB, the rest was not read"


def test_client_retries_a_server_error_once(server: ClusterServer, tmp_path: Path) -> None:
    answers = iter([answer({}, 503), recorded("pods_by_label")])
    server.respond = lambda path, params: next(answers)
    api = KubernetesApi(source(tmp_path, kubeconfig(server.url)))

    assert (len(api.list(PODS, soon()).items), len(server.asked)) == (3, 2)


def test_version_namespaces_and_permissions_are_read(server: ClusterServer, tmp_path: Path) -> None:
    api = api_of(server, tmp_path)

    replay(server, "version")
    version = api.version(soon())
    replay(server, "namespaces")
    namespaces = api.namespaces(soon())
    replay(server, "selfsubjectaccessreview_allowed")
    allowed = api.can_i("list", "pods", "prod", soon())
    replay(server, "selfsubjectaccessreview_denied")
    denied = api.can_i("list", "pods", "staging", soon())
    replay(server, "deployments")
    deployments = api.deployments(soon(), "prod")

    assert version == "v0.0.0-master+$Format:%H$"
    assert {"prod", "staging"} <= set(namespaces)
    assert allowed == Permission(
        True,
        'RBAC: allowed by RoleBinding "studio-read/prod" of Role "studio-read" to '
        'ServiceAccount "studio/monitoring"',
    )
    assert denied == Permission(False)
    assert [item["metadata"]["name"] for item in deployments.items] == [
        "checkout", "frontend", "payment-processing",
    ]  # fmt: skip
    assert server.asked[-1] == list_path("/apis/apps/v1", "deployments", "prod")


def test_version_refuses_a_server_that_is_no_kubernetes(
    server: ClusterServer, tmp_path: Path
) -> None:
    server.respond = lambda path, params: answer({"version": "2.0"})

    with pytest.raises(BackendError, match="without a gitVersion"):
        api_of(server, tmp_path).version(soon())


@pytest.mark.parametrize(
    ("text", "context", "detail"),
    [
        ("{", "", "kubeconfig {path} is not YAML"),
        ("{}", "", "Invalid kube-config file. Expected key current-context in {path}"),
        ("[]", "", "kubeconfig {path} has the wrong shape (TypeError)"),
        (
            kubeconfig("http://127.0.0.1:1"),
            "nope",
            "Invalid kube-config file. Expected object with name nope in {path}/contexts list",
        ),
        (
            kubeconfig("127.0.0.1:6443"),
            "",
            "the server's address must begin with http:// or https://",
        ),
    ],
    ids=["not-yaml", "empty", "wrong-shape", "no-such-context", "no-scheme"],
)
def test_unusable_kubeconfig_is_named(text: str, context: str, detail: str, tmp_path: Path) -> None:
    broken = source(tmp_path, text, context=context)

    with pytest.raises(BackendError) as caught:
        KubernetesApi(broken).version(soon())

    expected = f"credentials cannot be used: {detail}".replace("{path}", broken.kubeconfig)
    assert caught.value.detail == expected


def test_missing_kubeconfig_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere")

    with pytest.raises(BackendError) as caught:
        KubernetesApi(Source("k8s", "kubernetes", "", kubeconfig=path)).version(soon())

    assert caught.value.detail == f"credentials cannot be used: {path}: no such file or directory"


def test_missing_in_cluster_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    with pytest.raises(BackendError) as caught:
        KubernetesApi(Source("k8s", "kubernetes", "")).version(soon())

    assert caught.value.detail == "credentials cannot be used: Service host/port is not set."


@pytest.mark.parametrize(("context", "namespace"), [("", "shop"), ("other", "elsewhere")])
def test_own_namespace_is_the_contexts(
    context: str, namespace: str, server: ClusterServer, tmp_path: Path
) -> None:
    assert api_of(server, tmp_path, context=context).own_namespace() == namespace


def test_refused_token_is_read_anew(server: ClusterServer, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    api = KubernetesApi(source(tmp_path, kubeconfig(server.url, tokenFile=str(token))))
    api.list(PODS, soon())
    token.write_text("new")
    server.respond = lambda path, params: (
        listing() if server.tokens[-1] == "Bearer new" else recorded("unauthorized_bad_token_401")
    )

    api.list(PODS, soon())

    assert server.tokens == ["Bearer old", "Bearer old", "Bearer new"]


def test_token_comes_from_an_exec_plugin(server: ClusterServer, tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    plugin.write_text(
        f"#!{sys.executable}\n"
        'print(\'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", '
        '"status": {"token": "minted"}}\')\n'
    )
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    spec = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "args": []}

    KubernetesApi(source(tmp_path, kubeconfig(server.url, exec=spec))).list(PODS, soon())

    assert server.tokens == ["Bearer minted"]


def test_plugin_that_hangs_is_named_at_the_deadline(server: ClusterServer, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    script = f"echo run >> {runs}; exec sleep 5"
    spec = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "/bin/sh",
        "args": ["-c", script],
    }
    hanging = source(tmp_path, kubeconfig(server.url, exec=spec))

    for _ in range(2):
        with pytest.raises(BackendError) as raised:
            KubernetesApi(hanging).list(PODS, Deadline(0.3))

    assert raised.value.kind == "timeout"
    assert raised.value.detail.endswith("s (does the kubeconfig's plugin hang?)")
    assert runs.read_text() == "run\n"


def test_rewritten_kubeconfig_is_read_again(server: ClusterServer, tmp_path: Path) -> None:
    first = source(tmp_path, kubeconfig(server.url))
    KubernetesApi(first).list(PODS, soon())

    second = source(tmp_path, kubeconfig(server.url, token="another"))
    os.utime(second.kubeconfig, (1.0, 1.0))
    KubernetesApi(second).list(PODS, soon())

    assert server.tokens == ["Bearer s3cret", "Bearer another"]


def test_address_alone_is_enough(server: ClusterServer) -> None:
    plain = Source("k8s", "kubernetes", server.url, headers={"Authorization": "Bearer given"})

    KubernetesApi(plain).list(PODS, soon())

    assert server.tokens == ["Bearer given"]

from __future__ import annotations

from typing import Any

import pytest

from correlation.cluster.pod_templates import differences, kind_of_change, summary


def template(
    image: str = "shop/cart:v1", annotations: dict[str, str] | None = None, **container: Any
) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "cart"}, "annotations": annotations or {}},
        "spec": {"containers": [{"name": "cart", "image": image, **container}]},
    }


def env(**values: str) -> dict[str, Any]:
    return {"env": [{"name": name, "value": value} for name, value in values.items()]}


RESTARTED = {"kubectl.kubernetes.io/restartedAt": "2026-11-22T00:00:00Z"}


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        (template(), template("shop/cart:v2"), "deploy", "v1 -> v2"),
        (template(), template("other/cart:v1"), "deploy", "shop/cart:v1 -> other/cart:v1"),
        (
            template("reg:5000/cart@sha256:" + "a" * 64),
            template("reg:5000/cart@sha256:" + "b" * 64),
            "deploy",
            "aaaaaaaaaaaa -> bbbbbbbbbbbb",
        ),
        (
            template(**env(POOL="50")),
            template(**env(POOL="10")),
            "config",
            "configuration changed: cart env POOL",
        ),
        (
            template(resources={"limits": {"memory": "1Gi"}}),
            template(resources={"limits": {"memory": "1Mi"}}),
            "config",
            "configuration changed: cart resources limits memory",
        ),
        (template(), template("shop/cart:v2", **env(POOL="10")), "deploy", "v1 -> v2"),
        (template(), template(annotations=RESTARTED), "config", "restarted"),
        (template(), template(), "deploy", "restarted"),
    ],
    ids=["tag", "repository", "digest", "env", "limits", "both", "restart", "same"],
)
def test_change_is_named_by_what_differs(
    old: dict[str, Any], new: dict[str, Any], kind: str, words: str
) -> None:
    assert (kind_of_change(old, new), summary(old, new)) == (kind, words)


def test_another_container_is_a_deploy() -> None:
    new = template()
    new["spec"]["containers"].append({"name": "proxy", "image": "mesh:1"})

    assert kind_of_change(template(), new) == "deploy"
    assert summary(template(), new) == "containers changed: proxy"


def test_secret_values_are_hidden_and_still_differ() -> None:
    old = template(**env(DB_PASSWORD="one", API_TOKEN="same", URL="pg://ann:s3cret@db/x"))
    new = template(**env(DB_PASSWORD="two", API_TOKEN="same", URL="pg://ann:s3cret@other/x"))

    diff = differences(old, new, "a", "b")

    assert [line.strip() for line in diff.splitlines() if line[:1] in "+-"] == [
        "--- a",
        "+++ b",
        "-      value: (hidden)",
        "+      value: (hidden, another)",
        "-      value: pg://db/x",
        "+      value: pg://other/x",
    ]


def test_long_diff_is_cut() -> None:
    many = env(**{f"NAME_{number}": "x" * 80 for number in range(200)})

    diff = differences(template(), template(**many), "a", "b")

    assert (len(diff), diff[-1]) == (8000, "…")


def test_template_hash_is_no_difference() -> None:
    new = template()
    new["metadata"]["labels"]["pod-template-hash"] = "5d4f8c7b9"

    assert differences(template(), new, "a", "b") == ""

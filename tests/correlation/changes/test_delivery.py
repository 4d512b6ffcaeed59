"""How commits come to run: through the deploys that brought them out, said or implied."""

from __future__ import annotations

from correlation.changes.delivery import (
    APPLIED,
    IMPLIED,
    SHARED_IMPLIED,
    UNDELIVERED,
    candidates,
    touched,
)
from correlation.telemetry import Change

SERVICES = ("checkoutservice", "mail", "product-catalog")


def make_commit(id: str, at: float, *files: str, title: str = "work") -> Change:
    return Change(id, "", "commit", at, title, files=files)


def make_deploy(service: str, at: float, commit: str = "") -> Change:
    return Change(f"d{at:g}", service, "deploy", at, "release", commit=commit)


def landings(*changes: Change) -> dict[str, list[tuple[str, float, float]]]:
    return {
        one.change.id: [(way.service, way.at, way.lost) for way in one.landings]
        for one in candidates(changes, SERVICES)
    }


def test_commit_lands_with_its_deploys_which_are_no_candidates() -> None:
    found = landings(
        make_commit("c1", 10.0), make_deploy("mail", 50.0, "c1"),
        make_deploy("checkoutservice", 60.0, "c1"),
    )  # fmt: skip

    assert found == {"c1": [("mail", 50.0, 0.0), ("checkoutservice", 60.0, 0.0)]}


def test_deploy_of_an_unknown_commit_is_a_candidate_itself() -> None:
    assert landings(make_deploy("mail", 50.0, "gone")) == {"d50": [("mail", 50.0, 0.0)]}


def test_commit_may_have_gone_out_with_the_next_deploy_of_its_service() -> None:
    found = landings(make_commit("c1", 10.0, "apps/mail/send.py"), make_deploy("mail", 50.0))

    assert found["c1"] == [("mail", 10.0, UNDELIVERED), ("mail", 50.0, IMPLIED)]


def test_shared_commit_may_have_gone_out_with_any_deploy() -> None:
    found = landings(make_commit("c1", 10.0, "libs/a.py"), make_deploy("mail", 50.0))

    assert found["c1"] == [("", 10.0, UNDELIVERED), ("mail", 50.0, SHARED_IMPLIED)]


def test_configuration_is_applied_without_a_deploy() -> None:
    found = landings(make_commit("c1", 10.0, "charts/mail/values.yaml"), make_deploy("x", 5.0))

    assert found["c1"] == [("mail", 10.0, APPLIED)]


def test_commits_without_any_deploy_run_when_they_are_made() -> None:
    assert landings(make_commit("c1", 10.0, "mail/a.py"))["c1"] == [("mail", 10.0, 0.0)]


def test_paths_and_scopes_name_services() -> None:
    by_path = make_commit("a", 0.0, "services/checkout/order.go")
    by_scope = make_commit("b", 0.0, "x.go", title="fix(mail): retry")
    by_prefix = make_commit("c", 0.0, "services/product/main.go")

    assert [touched(one, SERVICES) for one in (by_path, by_scope, by_prefix)] == [
        ("checkoutservice",), ("mail",), ("product-catalog",),
    ]  # fmt: skip

from __future__ import annotations

import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml

from slos.definition import Definition
from slos.sloth_rules import mark_of, rules
from tests.servers import ServerError
from tests.servers.debian import fetch
from tests.slos.test_openslo import AVAILABILITY, SLOS


def every_rule(text: str) -> list[dict[str, str]]:
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def test_rules_have_sloth_s_names_and_labels() -> None:
    found = every_rule(rules([AVAILABILITY]))

    recorded = {rule["record"] for rule in found if "record" in rule}
    assert recorded == {
        "studio:slo_bad_events:count1m",
        "studio:slo_events:count1m",
        *(
            f"slo:sli_error:ratio_rate{window}"
            for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
        ),
        "slo:objective:ratio",
        "slo:error_budget:ratio",
        "slo:time_period:days",
        "slo:current_burn_rate:ratio",
        "slo:period_burn_rate:ratio",
        "slo:period_error_budget_remaining:ratio",
    }
    assert [rule["alert"] for rule in found if "alert" in rule] == [
        "payments-availability-page-1h",
        "payments-availability-page-6h",
        "payments-availability-ticket-1d",
        "payments-availability-ticket-3d",
    ]
    assert found[2]["labels"] == {
        "sloth_id": "payments-payments-availability",
        "sloth_service": "payments",
        "sloth_slo": "payments-availability",
        "studio_sli": mark_of(AVAILABILITY.indicator),
        "sloth_window": "5m",
    }


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
def test_every_expression_parses(slo: Definition) -> None:
    for rule in every_rule(rules([slo])):
        promql_parser.parse(rule["expr"])


def test_promtool_accepts_the_rules(tmp_path: Path) -> None:
    try:
        promtool = fetch("prometheus", "promtool")
    except ServerError as error:
        pytest.skip(str(error))
    file = tmp_path / "rules.yml"
    file.write_text(rules(SLOS))

    said = subprocess.run(
        [str(promtool), "check", "rules", "--lint-fatal", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 0, said.stdout + said.stderr

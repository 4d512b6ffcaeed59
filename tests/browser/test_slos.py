"""An SLO's life in a real browser: made with a mistake, evaluated, edited, moved, switched off.

One test after another on one running demo; each stands on what the earlier ones made.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import lab_is_ready
from tests.servers.studio import Studio

pytestmark = pytest.mark.browser
expect.set_options(timeout=90_000)
NAME = "cart-availability"
TOTAL = 'http_requests_total{service="cart"}'
FAILED = 'http_requests_total{service="cart",status=~"5.."}'
OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: catalogue-availability}
spec:
  service: catalogue
  indicator:
    metadata: {name: catalogue-answers}
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource: {type: Prometheus, spec: {query: 'http_requests_total{service="catalogue",status!~"5.."}'}}
        total:
          metricSource: {type: Prometheus, spec: {query: 'http_requests_total{service="catalogue"}'}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: METHOD
  objectives: [{target: 0.995}]
"""  # noqa: E501  (one line a metric, as people write them)


def test_form_checks_and_refuses_in_the_words_of_the_source_then_saves(
    page: Page, demo: Studio, complaints: list[str]
) -> None:
    lab_is_ready(page, demo)
    complaints.clear()  # the lab's 503s while it was starting
    page.goto(f"{demo.url}/slos")
    page.get_by_role("link", name="New SLO").click()
    page.get_by_label("Service").select_option(label="cart (production)")
    page.get_by_label("Name").fill(NAME)
    page.get_by_role("textbox", name="Good or bad events").fill("sum(rate(")
    page.get_by_label("All events").fill(TOTAL)
    page.get_by_label("Must be good (%)").fill("99.5")
    page.get_by_role("button", name="Save").click()

    part = page.locator(".field", has=page.locator("#id_part"))
    expect(part.locator(".errorlist")).not_to_be_empty()
    expect(page.get_by_label("All events")).to_have_value(TOTAL)  # nothing typed is lost

    # what PromQL allows and this source refuses
    page.get_by_role("textbox", name="Good or bad events").fill(
        'http_requests_total{service="cart",status=~"[[:digit:]]+"}'
    )
    page.get_by_role("button", name="Save").click()
    expect(part.locator(".errorlist")).to_contain_text("not supported by the lab")
    complaints.clear()  # Chromium reports the two 422s

    page.get_by_role("textbox", name="Good or bad events").fill(FAILED)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#slo-check .slo-verdict")).to_have_text("It can be saved.")
    page.get_by_role("button", name="Save").click()

    page.wait_for_url(f"**/slos/{NAME}")
    assert complaints == []


def test_saved_slo_is_evaluated_and_drawn_without_a_reload(
    page: Page, demo: Studio, complaints: list[str]
) -> None:
    page.goto(f"{demo.url}/slos/{NAME}")
    page.evaluate("window.sameDocument = true")

    expect(page.locator("#slo .slo-figures")).to_contain_text("Healthy", ignore_case=True)
    expect(page.locator("#slo .slo-plots svg.plot").first).to_be_visible()
    expect(page.locator("#slo .slo-burns li", has_text="1h")).to_contain_text("×")
    expect(page.locator("#slo .slo-policies tbody tr")).to_have_count(4)
    assert page.evaluate("window.sameDocument") is True

    page.get_by_role("link", name="1d", exact=True).click()
    expect(page.locator("#span-1d")).to_have_attribute("aria-current", "true")
    page.wait_for_url("**?span=1d")
    assert complaints == []


def test_gauge_is_sampled_with_a_subquery(page: Page, demo: Studio, complaints: list[str]) -> None:
    page.goto(f"{demo.url}/slos/new")
    page.get_by_label("Service").select_option(label="payment-processing (production)")
    page.get_by_label("Name").fill("payment-pool-room")
    page.get_by_text("Samples of a gauge").click()
    page.get_by_label("Gauge", exact=True).fill(
        'db_pool_connections_in_use{service="payment-processing"}'
    )
    page.get_by_label("Value").fill("1000")
    page.get_by_label("Must be good (%)").fill("99")
    page.get_by_role("button", name="Save").click()

    page.wait_for_url("**/slos/payment-pool-room")
    expect(page.locator("#slo .slo-figures")).to_contain_text("Healthy", ignore_case=True)
    assert complaints == []


def test_span_is_excluded_and_counts_again(page: Page, demo: Studio, complaints: list[str]) -> None:
    page.goto(f"{demo.url}/slos/{NAME}")
    page.get_by_text("Exclude a span").click()
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    page.get_by_label("Until").fill(f"{end:%Y-%m-%dT%H:%M}")
    page.get_by_label("From").fill(f"{end - timedelta(minutes=15):%Y-%m-%dT%H:%M}")
    page.get_by_label("Why it does not count").fill("A load test nobody was hurt by")
    page.get_by_role("button", name="Exclude it").click()

    corrections = page.locator("#corrections")
    expect(corrections).to_contain_text("A load test nobody was hurt by")
    expect(page.locator("#slo .plot-excluded").first).to_be_attached()

    corrections.locator("summary", has_text="Withdraw").click()
    corrections.get_by_placeholder("Why it counts again").fill("Users were in it")
    corrections.get_by_role("button", name="Withdraw").click()

    expect(corrections.locator(".is-withdrawn")).to_contain_text("Users were in it")
    assert complaints == []


def test_edit_that_somebody_overtook_is_refused(
    page: Page, second_tab: Page, demo: Studio, complaints: list[str]
) -> None:
    for tab in (page, second_tab):
        tab.goto(f"{demo.url}/slos/{NAME}/edit")
    page.get_by_label("Title").fill("Cart availability")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Cart availability")

    second_tab.get_by_label("Title").fill("The cart answers")
    second_tab.get_by_role("button", name="Save").click()

    expect(second_tab.get_by_text("Somebody changed it while you did")).to_be_visible()
    expect(second_tab.get_by_label("Title")).to_have_value("The cart answers")
    page.reload()
    expect(page.locator("h1")).to_have_text("Cart availability")
    assert [said for said in complaints if "422" not in said] == []


def test_openslo_is_tried_imported_and_exported(
    page: Page, demo: Studio, complaints: list[str]
) -> None:
    page.goto(f"{demo.url}/slos/import")
    text = page.get_by_label("OpenSLO v1")
    text.fill(OPENSLO.replace("METHOD", "Timeslices"))
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator(".slo-refusals")).to_contain_text("Line 16")
    expect(page.locator(".slo-refusals")).to_contain_text("budgetingMethod")
    complaints.clear()  # Chromium reports the 422

    text.fill(OPENSLO.replace("METHOD", "Occurrences"))
    page.get_by_role("button", name="Dry run").click()
    expect(page.locator(".slo-verdict")).to_have_text("Dry run: it can be imported.")
    page.get_by_role("button", name="Import").click()
    page.wait_for_url("**/slos")
    page.locator("#slo-catalogue-availability").click()
    expect(page.locator("h1")).to_have_text("catalogue-availability")
    with page.expect_download() as exported:
        page.get_by_role("link", name="OpenSLO", exact=True).click()

    written = Path(exported.value.path()).read_text()
    assert "kind: SLO" in written
    assert "name: catalogue-availability" in written
    assert complaints == []


def test_disabled_slo_says_so_and_comes_back(
    page: Page, demo: Studio, complaints: list[str]
) -> None:
    page.goto(f"{demo.url}/slos/{NAME}")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Disable").click()

    expect(page.locator("#slo .message")).to_contain_text("It is not evaluated")
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_role("button", name="Disable")).to_be_visible()
    expect(page.locator("#slo .slo-figures")).to_contain_text("Healthy", ignore_case=True)
    assert complaints == []


@pytest.mark.parametrize(
    "path", ["/slos", f"/slos/{NAME}", f"/slos/{NAME}/edit", "/slos/new", "/slos/import"]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_slo_pages_fit_a_phone(
    page: Page, demo: Studio, complaints: list[str], path: str, scheme: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]

    page.goto(demo.url + path)

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert complaints == []


def test_list_is_walked_by_keyboard(page: Page, demo: Studio, complaints: list[str]) -> None:
    page.goto(f"{demo.url}/slos")
    page.get_by_label("Search").focus()
    page.keyboard.type("cart")
    expect(page.locator("#slos tbody tr")).to_have_count(1)
    expect(page.get_by_label("Search")).to_be_focused()  # the answer does not take it away

    page.locator(f"#slo-{NAME}").focus()
    page.keyboard.press("Enter")

    page.wait_for_url(re.compile(rf"/slos/{NAME}$"))
    assert complaints == []

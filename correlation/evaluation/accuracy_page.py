"""The generated parts of docs/accuracy.md: between two comments, rewritten in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from correlation.evaluation.reliability import Bin


def with_section(page: str, name: str, body: str) -> str:
    """`page` with what stands between the comments of section `name` replaced by `body`.

    Raises ValueError when the page has no such comments.
    """
    begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no section {name!r} between comments")
    return f"{before}{begin}{body}{end}{after}"


def calibration_section(document: Mapping[str, Any], found: Sequence[Bin], image: str) -> str:
    """Version, figures of unseen systems and services, bins and diagram, as Markdown."""
    told = document["cross_validated"]
    lines = [
        f"Version `{document['version']}`, fitted on {document['n']} rankings: "
        + ", ".join(
            f"{name} ({one['cases']} cases, {one['healthy_windows']} healthy windows)"
            for name, one in document["datasets"].items()
        )
        + f". Below {document['abstain_below']:.2f} an analysis is inconclusive.",
        "",
        "| never seen by the fit | n | right | ECE (90 %) | Brier (base rate's) | said .9 or more: "
        "right | answered | healthy silent |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, label in (("unseen_system", "its system"), ("unseen_service", "its culprit")):
        lines.append(_row(f"**{label}**", told[name]))
        for condition, one in told[name]["by_condition"].items():
            if condition != "all":
                lines.append(_row(f"{label}, {condition}", one))
    for system, one in told["unseen_system"]["by_system"].items():
        lines.append(_row(system, one))
    lines += [
        "",
        f"![Reliability of cases whose system the fit never saw]({image})",
        "",
        "| said | right | n |",
        "|---|---|---|",
    ]
    lines += [f"| {one.said:.2f} | {one.right:.2f} | {one.n} |" for one in found]
    names = document["coefficients"]
    lines += [
        "",
        "| feature | coefficient | fitted from | to |",
        "|---|---|---|---|",
        *(
            f"| {name} | {names[name]:.2f} | {document['ranges'][name][0]:.2f} "
            f"| {document['ranges'][name][1]:.2f} |"
            for name in names
        ),
    ]
    return "\n".join(lines) + "\n"


def _row(label: str, one: Mapping[str, Any]) -> str:
    ece = "-"
    if one["ece"] is not None:
        ece = f"{share(one['ece'])} ({share(one['ece_low'])} to {share(one['ece_high'])})"
    cells = (
        label,
        str(one["n"]),
        share(one["right"]),
        ece,
        f"{share(one['brier'])} ({share(one['base_rate_brier'])})",
        f"{share(one['sure_right'])} of {one['sure_n']}",
        share(one["coverage"]),
        share(one.get("healthy_silent")),
    )
    return f"| {' | '.join(cells)} |"


def share(value: float | None) -> str:
    """1.00, .87, or - where there is none."""
    if value is None:
        return "-"
    return f"{value:.2f}".removeprefix("0") if value < 0.995 else "1.00"

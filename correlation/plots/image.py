"""A drawing as an SVG file that stands alone: for reports, chats and other people's pages. Pure."""

from __future__ import annotations

import textwrap
from base64 import b64encode
from hashlib import sha256
from html import escape

from correlation.plots.drawing import Drawing

THEMES = ("auto", "light", "dark")
WIDTH, LEFT, RIGHT, BELOW = 760.0, 84.0, 18.0, 30.0
TITLE_LETTERS = 92

LIGHT = {
    "ground": "#ffffff", "text": "#16202b", "muted": "#566270", "grid": "#dde2e8",
    "axis": "#8a95a3", "line": "#2f4fcf", "band": "#e3e8fa", "onset": "#c01c31", "gap": "#eceff3",
}  # fmt: skip
DARK = {
    "ground": "#151b23", "text": "#e7ebf0", "muted": "#9ba7b5", "grid": "#2a323d",
    "axis": "#66717f", "line": "#9db0ff", "band": "#252f4d", "onset": "#ff8f98", "gap": "#222a35",
}  # fmt: skip


def image(drawing: Drawing, theme: str = "auto") -> str:
    """An SVG document; `theme` is one of THEMES, "auto" follows the reader's system.

    Raises KeyError for another theme.
    """
    lines = textwrap.wrap(drawing.title, TITLE_LETTERS)[:2] or [""]
    top = 20.0 + 17.0 * len(lines) + 34.0
    height = top + drawing.height + BELOW
    heading = "".join(
        f'<text class="plot-title" x="16" y="{24 + 17 * n}">{escape(line)}</text>'
        for n, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img">'
        f"<title>{escape(drawing.title)}</title><desc>{escape(drawing.description)}</desc>"
        f"<style>{_SHEETS[theme]}</style>"
        f'<rect class="plot-ground" width="100%" height="100%"/>{heading}'
        f'<svg x="{LEFT:.0f}" y="{top:.0f}" width="{WIDTH - LEFT - RIGHT:.0f}" '
        f'height="{drawing.height:.0f}" overflow="visible">{drawing.body}</svg></svg>\n'
    )


def style_hash(theme: str) -> str:
    """What a Content-Security-Policy says to allow the image's style sheet, and it alone."""
    digest = b64encode(sha256(_SHEETS[theme].encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _sheet(colours: dict[str, str]) -> str:
    c = colours
    return (
        f".plot-ground{{fill:{c['ground']}}}"
        f"text{{font:12px system-ui,sans-serif;fill:{c['muted']}}}"
        f".plot-title{{font-size:14px;font-weight:600;fill:{c['text']}}}"
        f".plot-mark-text{{fill:{c['text']}}}"
        f".plot-grid{{stroke:{c['grid']}}}.plot-axis,.plot-start{{stroke:{c['axis']}}}"
        f".plot-start{{stroke-width:1.5}}"
        f".plot-line{{fill:none;stroke:{c['line']};stroke-width:1.8;"
        "vector-effect:non-scaling-stroke;stroke-linejoin:round}"
        f".plot-dot,.plot-bar,.plot-event{{fill:{c['line']}}}.plot-faint{{fill-opacity:.55}}"
        f".plot-median{{stroke:{c['text']};stroke-width:2}}"
        f".plot-band{{fill:{c['band']}}}.plot-gap{{fill:{c['gap']}}}"
        f".plot-onset{{stroke:{c['onset']};stroke-width:1.5;stroke-dasharray:4 3}}"
        f".plot-onset-range{{fill:{c['onset']};fill-opacity:.14}}"
    )


_SHEETS = {
    "light": _sheet(LIGHT),
    "dark": _sheet(DARK),
    "auto": f"{_sheet(LIGHT)}@media (prefers-color-scheme:dark){{{_sheet(DARK)}}}",
}

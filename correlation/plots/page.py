"""A drawing as a page holds it: as wide as its column, coloured by the page's style sheet. Pure.

The style sheet's padding makes room for the axes (static/css/plots.css); the pages' CSP allows no
style of the drawing's own.
"""

from __future__ import annotations

from html import escape

from correlation.plots.drawing import Drawing


def page_plot(drawing: Drawing | None) -> str:
    """An <svg> for a page; "" for no drawing."""
    if drawing is None:
        return ""
    return (
        f'<svg class="plot" width="100%" height="{drawing.height + PADDING:.0f}" role="img">'
        f"<title>{escape(drawing.title)}</title><desc>{escape(drawing.description)}</desc>"
        f"{drawing.body}</svg>"
    )


PADDING = 64.0
"""Above and below the drawing, pixels: `.plot` in the style sheet says 38 and 26."""

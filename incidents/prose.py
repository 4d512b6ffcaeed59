"""What people write is Markdown; its HTML is safe to show to everybody."""

from __future__ import annotations

from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
# no images: one from elsewhere tells its host who reads the incident
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}

markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(
    ["table", "strikethrough"]
)


@lru_cache(maxsize=2048)  # a page is rendered again for each new event
def render(text: str) -> SafeString:
    """HTML of Markdown `text`: raw HTML is shown as text, scripts and images are dropped."""
    return mark_safe(  # noqa: S308  (cleaned here)
        nh3.clean(
            markdown.render(text),
            tags=TAGS,
            attributes=ATTRIBUTES,
            url_schemes=SCHEMES,
            link_rel="nofollow noopener noreferrer",
        )
    )

"""Bodies that are YAML: read as text, its meaning is `slos.openslo`'s business."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from slos.openslo.tree import MAX_BYTES


class YAMLText(BaseParser):
    """The body as {"openslo": text}; one that is too large or no UTF-8 is a 400."""

    media_type = "application/yaml"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, str]:
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise ParseError(f"The file is larger than {MAX_BYTES} bytes.")
        try:
            return {"openslo": body.decode()}
        except UnicodeDecodeError:
            raise ParseError("The file is not UTF-8.") from None


class XYAMLText(YAMLText):
    media_type = "application/x-yaml"


class TextYAMLText(YAMLText):
    media_type = "text/yaml"

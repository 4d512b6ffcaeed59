"""Notes are Markdown; their HTML is safe to show to everybody."""

from __future__ import annotations

from incidents.prose import render

__all__ = ["render"]

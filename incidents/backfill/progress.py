"""How far a long command is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from typing import TextIO

WIDTH = 30
LINES = 10
"""Without a terminal: about so many lines in all."""


class Progress:
    """Of `total` things, written to `stream`; what is one of them is named by `unit`."""

    def __init__(self, stream: TextIO, total: int, unit: str) -> None:
        self._stream, self._total, self._unit = stream, total, unit
        self._done, self._shown = 0, 0
        self._bar = stream.isatty()

    def step(self) -> None:
        self._done += 1
        share = self._done * (100 if self._bar else LINES) // self._total
        if share == self._shown:
            return
        self._shown = share
        said = f"{self._done}/{self._total} {self._unit}"
        if self._bar:
            full = WIDTH * self._done // self._total
            end = "\n" if self._done == self._total else ""
            self._stream.write(f"\r[{'#' * full}{'.' * (WIDTH - full)}] {said}{end}")
        else:
            self._stream.write(f"{said}\n")
        self._stream.flush()

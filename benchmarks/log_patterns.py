"""Lines a second of the log fingerprints, by format and size, beside drain3 with equal masks.

The lines are made up, the same in every run: header or JSON or logfmt, about fifty messages with
numbers, addresses, ids and names in them, one line in a hundred with a stack trace. For labelled
logs use `manage.py evaluate_logs DIR`.

    python -m benchmarks.log_patterns
"""

from __future__ import annotations

import json
import random
import time

from correlation.evaluation.labelled_logs import has_drain3, template_with_drain3
from correlation.logs.masks import MASKS
from correlation.logs.patterns import fingerprints

SIZES = (500, 5_000, 50_000)
VERBS = ("accepted", "refused", "retried", "stored", "dropped", "closed", "opened")
THINGS = ("order", "payment", "session", "request", "batch", "lease", "upload")
TRACE = (
    "\njava.lang.IllegalStateException: no stock\n"
    "\tat java.base/java.util.Optional.orElseThrow(Optional.java:403)\n"
    "\tat shop.stock.Store.take(Store.java:{})\n"
)


def main() -> None:
    for style in ("plain", "json", "logfmt"):
        for size in SIZES:
            lines = _lines(style, size)
            start = time.process_time()
            templates = {identity for _, identity, _ in fingerprints(lines)}
            ours = size / (time.process_time() - start)
            print(f"{style:7}{size:7,} lines{len(templates):5} templates{ours:11,.0f} lines/s")
    if not has_drain3():
        print("drain3 is not installed: no comparison (see requirements-dev.txt).")
        return
    lines = _lines("plain", 5_000)
    start = time.process_time()
    template_with_drain3(lines, MASKS)
    print(f"drain3, equal masks, 5,000 plain {5_000 / (time.process_time() - start):,.0f} lines/s")


def _lines(style: str, size: int) -> list[str]:
    chance = random.Random(7)
    return [_line(style, at, chance) for at in range(size)]


def _line(style: str, at: int, chance: random.Random) -> str:
    verb, thing = chance.choice(VERBS), chance.choice(THINGS)
    message = (
        f"{thing} {chance.randrange(10**6)} {verb} from 10.0.{chance.randrange(255)}.7:{at % 9999} "
        f"trace={chance.getrandbits(128):032x} in {chance.randrange(900)} ms"
    )
    if at % 100 == 99:
        message += TRACE.format(chance.randrange(400))
    clock = f"2026-11-22T{at // 3600 % 24:02}:{at // 60 % 60:02}:{at % 60:02}.{at % 1000:03}Z"
    if style == "json":
        return json.dumps({"ts": clock, "level": "info", "message": message, "n": at})
    if style == "logfmt":
        return f"ts={clock} level=info msg={json.dumps(message)} n={at}"
    return f"{clock} INFO [worker-{at % 8}] shop.{thing.title()}Service - {message}"


if __name__ == "__main__":
    main()

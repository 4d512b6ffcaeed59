"""Labelled logs of systems that do not exist, written for these tests: what no code was fitted to.

Each text in `log_corpus` is a system: `@header` lines (how a line begins), `@name = a b c` (words
of its own; `~` is a blank), `@style json` or `logfmt`, and one event a line. `$name` is a value,
`$(a|b)` one of several texts, `$[ text]` text that may be missing, `$$` a dollar. Earlier events
are the frequent ones: the share falls with the rank, the last ones come a few times in a burst.
"""

from __future__ import annotations

import json
import random
import re
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

CORPUS = Path(__file__).with_name("log_corpus")
START = 1_795_305_600.0
STEEPNESS = 1.25
BURST = 25

_PART = re.compile(r"\$(?:\$|([a-zA-Z]+[0-9]*)|\(((?:[^()$]|\$[a-z0-9]+)*(?:\([^()]*\))*"
                   r"(?:[^()$]|\$[a-z0-9]+)*)\)|\[((?:[^\[\]]|\[[^\[\]]*\])*)\])")  # fmt: skip
_PATHS = ("var", "www", "html", "usr", "lib", "data", "app", "static", "home", "api", "cart", "img")
_ENDS = ("index.html", "main.js", "logo.png", "config", "7", "42", "list", "report.csv", "db")
_HOSTS = ("web-1", "node7", "db-2", "ip-10-0-3-7", "worker", "cn431", "mq-a", "gateway2")
_DOMAINS = ("example.com", "shop.example.net", "cdn.example.org", "eu-1.example.io")


@dataclass
class System:
    """One text of the corpus; `weights` of its events follow from their rank."""

    name: str
    headers: list[str] = field(default_factory=list)
    words: dict[str, list[str]] = field(default_factory=dict)
    style: str = "plain"
    events: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Lines:
    """Raw lines in order of time, each with the index of its event."""

    system: str
    lines: list[str]
    events: list[int]


def systems() -> list[System]:
    """Every system of the corpus, by name."""
    return [_read(path) for path in sorted(CORPUS.glob("*.txt"))]


def made(system: System, count: int = 2000, seed: int = 0) -> Lines:
    """About `count` lines of the system: the same for the same seed, in every process."""
    chance = random.Random(f"{system.name}:{seed}")
    shares = [(rank + 1) ** -STEEPNESS for rank in range(len(system.events))]
    rows: list[tuple[float, int]] = []
    for event, share in enumerate(shares):
        n = max(1, round(share / sum(shares) * count * chance.uniform(0.6, 1.4)))
        if n <= BURST:
            n = chance.randint(1, n)
            middle = chance.random()
            rows += [(middle + chance.gauss(0.0, 0.01), event) for _ in range(n)]
        else:
            rows += [(chance.random(), event) for _ in range(n)]
    rows.sort()
    writer = _Writer(system, chance)
    return Lines(
        system.name,
        [writer.line(event, START + 60.0 * at) for at, (_, event) in enumerate(rows)],
        [event for _, event in rows],
    )


class _Writer:
    def __init__(self, system: System, chance: random.Random) -> None:
        self.system, self.chance, self.now = system, chance, START
        self.header_of = [chance.choice(system.headers or [""]) for _ in system.events]

    def line(self, event: int, at: float) -> str:
        self.now = at + self.chance.random() * 50.0
        message = self.filled(self.system.events[event])
        if self.system.style == "json":
            level = ("info", "error", "warn")[event % 3]
            fields = {"level": level, "time": self.now, "msg": message, "pid": self.value("pid")}
            return json.dumps(fields)
        if self.system.style == "logfmt":
            level = ("info", "error", "warning")[event % 3]
            return (
                f"time={self.value('iso')} level={level} msg={json.dumps(message)} "
                f"trace_id={self.value('hex16')}"
            )
        return self.filled(self.header_of[event]) + message

    def filled(self, text: str) -> str:
        while True:
            done = _PART.sub(self._part, text)
            if done == text:
                return done.replace("\0", "$")
            text = done

    def _part(self, match: re.Match[str]) -> str:
        name, choices, optional = match.groups()
        if name is not None:
            return self.value(name)
        if choices is not None:
            return self.chance.choice(choices.split("|"))
        if optional is not None:
            return optional if self.chance.random() < 0.5 else ""
        return "\0"

    def value(self, name: str) -> str:
        if name in self.system.words:
            return self.chance.choice(self.system.words[name]).replace("~", " ")
        if name in _TIMES:
            return time.strftime(_TIMES[name], time.gmtime(self.now)).replace(
                "%ms", f"{self.chance.randrange(1000):03}"
            )
        return VALUES[name](self.chance)


_TIMES = {
    "syslog": "%b %e %H:%M:%S", "ctime": "%a %b %d %H:%M:%S %Y", "iso": "%Y-%m-%dT%H:%M:%SZ",
    "isoc": "%Y-%m-%d %H:%M:%S,%%ms", "hmsisoc": "%Y-%m-%d %H:%M:%S,%%ms", "hms": "%H:%M:%S",
    "yymmdd": "%y%m%d", "hhmmss": "%H%M%S", "mdhms": "%m.%d %H:%M:%S",
}  # fmt: skip


def _ip(chance: random.Random) -> str:
    return f"10.{chance.randrange(3)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"


def _port(chance: random.Random) -> str:
    return str(chance.choice((80, 8080, 50010, chance.randrange(1024, 65535))))


def _hex(digits: int, alphabet: str = "0123456789abcdef") -> Callable[[random.Random], str]:
    return lambda chance: "".join(chance.choices(alphabet, k=digits))


def _path(chance: random.Random) -> str:
    parts = chance.choices(_PATHS, k=chance.randint(1, 4))
    return "/" + "/".join([*parts, chance.choice(_ENDS)])


def _many(value: Callable[[random.Random], str], between: str) -> Callable[[random.Random], str]:
    return lambda chance: between.join(value(chance) for _ in range(chance.randint(1, 4)))


def _int(chance: random.Random) -> str:
    return str(int(10 ** chance.uniform(0.0, 5.0)))


def _uuid(chance: random.Random) -> str:
    return "-".join(_hex(size)(chance) for size in (8, 4, 4, 4, 12))


def _blk(chance: random.Random) -> str:
    return f"blk_{chance.choice(('', '-'))}{chance.randrange(10**17, 10**19)}"


def _job(kind: str, tail: str) -> Callable[[random.Random], str]:
    def made_id(chance: random.Random) -> str:
        numbers = f"{chance.randrange(10**12, 2 * 10**12)}_{chance.randrange(99):04}"
        return f"{kind}_{numbers}" + tail.format(chance.randrange(999), chance.randrange(9))

    return made_id


VALUES: dict[str, Callable[[random.Random], str]] = {
    "small": lambda chance: str(chance.randrange(10)),
    "int": _int,
    "big": lambda chance: str(chance.randrange(10**6, 10**10)),
    "bigk": lambda chance: f"{chance.randrange(10**5, 10**7)}k",
    "bigms": lambda chance: f"{chance.randrange(10**5, 10**7)}ms",
    "ints": _many(_int, ","),
    "intms": lambda chance: f"{chance.randrange(1, 5000)}ms",
    "msms": lambda chance: f"{chance.uniform(0.1, 900.0):.3f} ms",
    "ms": lambda chance: f"{chance.randrange(1000):03}",
    "us": lambda chance: f"{chance.randrange(10**6):06}",
    "float": lambda chance: f"{chance.uniform(0.0, 100.0):.{chance.randint(1, 3)}f}",
    "floats": lambda chance: f"{chance.uniform(0.0, 90.0):.4f}s",
    "pct": lambda chance: f"{chance.randrange(1, 100)}%",
    "dur": lambda chance: f"{chance.randrange(1, 900)}{chance.choice(('ms', 's', 'm'))}",
    "durgo": lambda chance: f"{chance.randint(1, 5)}m{chance.uniform(0.0, 59.0):.3f}s",
    "size": lambda chance: f"{chance.uniform(1.0, 900.0):.1f} {chance.choice(('KB', 'MB', 'GB'))}",
    "pid": lambda chance: str(chance.randrange(100, 32000)),
    "ip": _ip,
    "port": _port,
    "addr": lambda chance: f"{_ip(chance)}:{_port(chance)}",
    "addrs": _many(lambda chance: f"{_ip(chance)}:{_port(chance)}", ", "),
    "host": lambda chance: chance.choice(_HOSTS),
    "fqdn": lambda chance: f"{chance.choice(_HOSTS)}.{chance.choice(_DOMAINS)}",
    "mac": lambda chance: ":".join(_hex(2)(chance) for _ in range(6)),
    "path": _path,
    "winpath": lambda chance: f"C:\\Users\\amy\\{chance.choice(_ENDS)}",
    "file": lambda chance: f"{_hex(6)(chance)}.{chance.choice(('png', 'jpg', 'csv'))}",
    "ver": lambda chance: f"{chance.randrange(9)}.{chance.randrange(20)}.{chance.randrange(9)}",
    "uuid": _uuid,
    "sha": _hex(64),
    "hexbyte": _hex(2),
    "hex4": _hex(4),
    "hex5": _hex(5),
    "hex8": _hex(8),
    "hex9": _hex(9),
    "hex12": _hex(12),
    "hex16": _hex(16),
    "HEX8": _hex(8, "0123456789ABCDEF"),
    "HEXL5": _hex(5, "bcdfghjklmnpqrstvwxz2456789"),
    "HEXL9": _hex(9, "bcdfghjklmnpqrstvwxz2456789"),
    "b64": _hex(22, string.ascii_letters + string.digits),
    "msgid": lambda chance: f"jA{_hex(8, string.ascii_letters + string.digits)(chance)}",
    "pcidev": lambda chance: f"00:{_hex(2)(chance)}.{chance.randrange(8)}",
    "epoch": lambda chance: str(chance.randrange(1_795_000_000, 1_796_000_000)),
    "blk": _blk,
    "blks": _many(_blk, " "),
    "attempt": _job("attempt", "_m_{:06}_{}"),
    "task": _job("task", "_m_{:06}"),
    "job": _job("job", ""),
    "container": _job("container", "_01_{:06}"),
}


def _read(path: Path) -> System:
    system = System(path.stem)
    for line in path.read_text().splitlines():
        if line.startswith("@header "):
            system.headers.append(line.removeprefix("@header "))
        elif line.startswith("@style "):
            system.style = line.removeprefix("@style ").strip()
        elif line.startswith("@"):
            name, _, words = line[1:].partition(" = ")
            system.words[name] = words.split(" ")
        elif line and not line.startswith("# "):
            system.events.append(line)
    return system

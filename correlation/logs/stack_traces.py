"""Stack traces of Java, Python, Go, Node, .NET, Rust, PHP and Ruby: exception type, own frame."""

from __future__ import annotations

import re

from correlation.logs import script_traces

_FRAMEWORK = re.compile(
    r"^(?:java[x]?\.|jdk\.|sun\.|com\.sun\.|kotlin\.|scala\.|org\.(?:springframework|apache|hibernate"
    r"|eclipse|jboss|junit|postgresql)\.|io\.(?:netty|grpc|undertow|micrometer|opentelemetry)\."
    r"|reactor\.|_COROUTINE\.|com\.(?:zaxxer|fasterxml|mysql)\.|System\.|Microsoft\.|Npgsql\.|runtime[./]|net/http"
    r"|node:|internal/|async )"
    r"|site-packages|dist-packages|node_modules|/lib/python|<frozen|/usr/local/go/|\bpanic\("
)
_JAVA_FRAME = re.compile(r"^\s*at ([\w$./<>-]+)\(([^)]*)\)", re.MULTILINE)
_NODE_FRAME = re.compile(
    r"^\s*at (?:async )?(?:(.+?) \()?((?:node:|file:|/|[A-Za-z]:\\|internal/)?[^\s()]+):\d+:\d+\)?",
    re.MULTILINE,
)
_DOTNET_FRAME = re.compile(r"^\s*at ([\w.`<>\[\]+$|]+)\(.*\)(?: in .+:line \d+)?", re.MULTILINE)
_PYTHON_FRAME = re.compile(r'^\s*File "([^"]+)", line (\d+), in (\S+)', re.MULTILINE)
_RUST_FRAME = re.compile(
    r"^\s*\d+: (?!std::|core::|alloc::|<?(?:std|core|alloc)::|rust_begin)(\S+)", re.MULTILINE
)
_GO_NAME = r"^([\w./*()\[\]-]+(?:\.[\w*()\[\]]+)+)"
_GO_FRAME = re.compile(rf"{_GO_NAME}\(.*\)\n\s+(\S+\.go):(\d+)", re.MULTILINE)
_GO_BARE_FRAME = re.compile(rf"{_GO_NAME}\n\t(\S+\.go):(\d+)", re.MULTILINE)
_GO_LIBRARY = re.compile(r"/go/src/|/libexec/src/|/pkg/mod/|/vendor/|^[a-z]+/[\w/]*\.go$")
_STATE_MACHINE = re.compile(r"<(\w+)>[a-z]__\d+(?:`\d+)?\.MoveNext")
_GENERATED = re.compile(
    r"\$\$(?:\w*CGLIB|Lambda|FastClass)\w*\$*[\w/$]*|(?<=\$)\d+|(?<=\.func)\d+(?:\.\d+)*"
)
_TYPE = re.compile(
    r"((?:[A-Za-z_$][\w$]*\.)*[A-Z_a-z$][\w$]*"
    r"(?:Exception|Error|Throwable|Fault|Timeout|Refused|Warning|Exit|Interrupt)\w*)"
)
# the line that names what was thrown; only then any word that looks like it
_THROWN = re.compile(
    r"^(?:Unhandled exception\. |Exception in thread \"[^\"\n]*\" |Uncaught |.*? )??"
    r"((?:[A-Za-z_$][\w$]*\.)*[\w$]*(?:Exception|Error|Throwable|Fault))(?= \(\d+\):|:|\s*$)",
    re.MULTILINE,
)
# what only carries what another thread or a reflected call threw
_CARRIER = re.compile(
    r"(?:^|\.)(?:Completion|Execution|InvocationTarget|UndeclaredThrowable|Aggregate"
    r"|TargetInvocation|TypeInitialization)Exception$"
)
_JAVA_PLACE = re.compile(r"[\w$.<>-]+\.\w+(?::\d+)?|Native Method|Unknown Source|<generated>")
_GROUP_MARGIN = re.compile(r"^(?:  )*(?:[|+](?:-\+)?(?:-+ \d+ -+)?(?: |$)|\+-+$)", re.MULTILINE)
_PYTHON_LAST = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)


def fold(text: str) -> str:
    """ "<exception type> at <top own frame>"; "" when the text holds no stack trace.

    Framework frames are passed over; when every frame is a framework's, the top one is used.
    Line numbers stay out for compiled names (they move with every build) and so do addresses.
    """
    if "Traceback (most recent call last)" in text:
        if "Exception Group Traceback" in text:
            text = _GROUP_MARGIN.sub("", text)
        return _fold_python(text)
    if text.startswith("panic: ") or "\ngoroutine " in text or text.startswith("goroutine "):
        return _fold_go(text)
    if ".go:" in text and "\n\t" in text:
        frames = _go_frames(text, _GO_BARE_FRAME)
        return f"failed at {_named(frames[0])}" if frames else ""
    if "\nstack backtrace:" in text:
        calls = _RUST_FRAME.findall(text)
        return f"panic at {calls[0]}" if calls else ""
    if "\n" not in text:
        return ""
    script = script_traces.php(text) or (":in " in text and script_traces.ruby(text))
    if script:
        return _fold_script(*script)
    if "at " not in text:
        return ""
    name = _thrown(text)
    if " in " in text and ":line " in text:
        frames = [match.group(1) for match in _DOTNET_FRAME.finditer(text)]
    else:
        frames = (
            [
                f"{match.group(1)}({match.group(2).split(':')[0]})"
                for match in _JAVA_FRAME.finditer(text)
                if ".java" in match.group(2)
                or ".kt" in match.group(2)
                or _JAVA_PLACE.fullmatch(match.group(2))
            ]
            or [
                f"{match.group(1) or '<anonymous>'}({_tail(match.group(2))})"
                if not _FRAMEWORK.search(match.group(2))
                else f"node:{match.group(1)}"
                for match in _NODE_FRAME.finditer(text)
            ]
            or [match.group(1) for match in _DOTNET_FRAME.finditer(text)]
        )
    if not frames:
        return ""
    return f"{name} at {_named(_own(frames))}"


def announces(head: str) -> bool:
    """Whether a first line says no more than that a carrier brings an exception along."""
    if script_traces.begins(head):
        return True
    kind = _THROWN.match(head)
    return kind is not None and bool(_CARRIER.search(kind.group(1)))


def _fold_script(kind: str, frames: list[script_traces.Frame]) -> str:
    own = [frame for frame in frames if not script_traces.is_library(frame[0])]
    path, function = (own or frames)[0]
    return f"{kind} at {function}({_tail(path)})"


def _fold_python(text: str) -> str:
    frames = [
        (match.group(1), f"{match.group(3)}({_tail(match.group(1))})")
        for match in _PYTHON_FRAME.finditer(text)
    ]
    after = text[text.rfind('File "') :].split("\n")
    names = [m.group(1) for line in after[1:] if (m := _PYTHON_LAST.match(line))]
    kind = names[0] if names else "exception"
    if not frames:
        return ""
    own = [shown for path, shown in frames if not _FRAMEWORK.search(path)]
    return f"{kind} at {(own or [frames[-1][1]])[-1]}"


def _fold_go(text: str) -> str:
    head = re.search(r"(panic|fatal error)(?: serving \S+)?: (.*)", text)
    kind, said = head.groups() if head else ("panic", "panic")
    reason = re.sub(r"0x[0-9a-f]+|\d+", "<num>", said)
    reason = re.sub(r"\s*\[recovered\].*", "", reason)
    frames = _go_frames(text)
    return f"{kind}: {reason} at {_named(frames[0])}" if frames else f"{kind}: {reason}"


def _go_frames(text: str, pattern: re.Pattern[str] = _GO_FRAME) -> list[str]:
    """Own frames, top first; those of libraries when there are no own ones."""
    frames = [
        (match.group(2), f"{match.group(1)}({_tail(match.group(2))})")
        for match in pattern.finditer(text)
        if not match.group(1).startswith(("panic(", "runtime"))
    ]
    own = [frame for path, frame in frames if not _GO_LIBRARY.search(path)]
    return own or [frame for _, frame in frames]


def _thrown(text: str) -> str:
    """The type of what was thrown; of what a carrier brought along, when it says so."""
    names = [match.group(1) for match in _THROWN.finditer(text)]
    kind = _TYPE.search(text)
    names = names or ([kind.group(1)] if kind else ["exception"])
    return next((name for name in names if not _CARRIER.search(name)), names[0])


def _named(frame: str) -> str:
    """The frame without what compilers put into names: numbers that change with every build."""
    return _GENERATED.sub("", _STATE_MACHINE.sub(r"\1", frame))


def _own(frames: list[str]) -> str:
    return next((frame for frame in frames if not _FRAMEWORK.search(frame)), frames[0])


def _tail(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]

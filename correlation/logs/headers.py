"""Where the message of a log line begins: time, level, process, thread and logger passed over.

Works on folded text (`log_masks.fold`): every run of digits is one "0", a run of ten digits
and more (an epoch) is "00" or longer. So one expression serves every clock and counter.
"""

from __future__ import annotations

import re

LEVELS = {
    "trace": "trace", "verbose": "trace", "debug": "debug", "dbg": "debug", "info": "info",
    "information": "info", "notice": "info", "log": "info", "warn": "warn", "warning": "warn",
    "wrn": "warn", "error": "error", "err": "error", "severe": "error", "fail": "error",
    "eror": "error", "failure": "error", "fatal": "fatal", "critical": "fatal", "crit": "fatal",
    "trce": "trace", "dbug": "debug", "panic": "fatal", "emerg": "fatal", "alert": "fatal",
}  # fmt: skip
_LETTERS = {"V": "trace", "D": "debug", "I": "info", "W": "warn", "E": "error", "F": "fatal"}

_ZONE = r"(?:\s?(?:Z|UTC|GMT|[A-Z]{1,4}T|[+-]0(?::0)?)(?![\w]))?"
_CLOCK = r"0:0:0(?:[.,:]0)?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_SYSLOG = rf"{_MONTH}\s+0\s+0:0:0(?:\.0)?"
_DATED = (  # a date with its time of day
    rf"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\s)?{_MONTH}\s+0,?(?:\s0)?\s+{_CLOCK}(?:\s0)?"
    rf"|0\s{_MONTH}\s0\s{_CLOCK}"
    rf"|0[-/.](?:0|{_MONTH})(?:[-/.]0)?[T\s,_:-]+0[:.]0[:.]0(?:[.,:]0)?{_ZONE}"
    rf"|0-{_CLOCK}"
)
_END = r"(?:[\])>]?[,:]?(?=[\s|]|$)|\](?=\[))"
_STAMP = rf"[\[(<]?(?:{_DATED}|0[-/.](?:0|{_MONTH})[-/.]0|{_CLOCK}|00+(?:\.0)?){_END}"
_WORD = (
    r"(?:TRACE|VERBOSE|DEBUG|DBG|INFO(?:RMATION)?|NOTICE|LOG|WARN(?:ING)?|WRN|ERROR|ERR|SEVERE"
    r"|FAIL(?:URE)?|FATAL|CRITICAL|CRIT|PANIC|EMERG|ALERT)"
)
_ANY_WORD = rf"(?i:{_WORD})"
_MORE = rf"(?:[\s|]+(?:[^\s|]+\s+)?{_STAMP}){{0,3}}"
# the part of a line that says when: one or more stamps, with at most one word between two
_TIMES = re.compile(
    rf"""(?x)\s*(?:
      (?:-\s+|<0>(?:0:?\s)?(?:[\w.-]+:\s)?[*.]?)?{_STAMP}{_MORE}
    | 0\s+(?:\S+\s+){{1,4}}?00+(?=\s)       # a sequence number and labels before an epoch
    | 0\s+0(?=\s+(?:0\s+)?{_WORD}\b)        # date and clock without separators
    | \S+\s+(?:00+\s+0[-/.]0[-/.]0(?=\s){_MORE}|[\[(<]?(?:{_DATED}){_END})  # a label, host or file
    )"""
)
_SYSLOG_END = re.compile(rf"{_SYSLOG}$")
_CONTAINER = re.compile(r"\s+std(?:out|err)\s+[FP]\s+")
# host and program of a syslog line; the program ends at a colon
_PROGRAM = re.compile(
    r"\s+\S+\s+(?:(?:[\w./@-]+\s)?[^\s:\[\]]+(?:\[0\])?(?:\s?\([^()]*\))?(?:\[0\])?:(?=\s|$)\s*)?"
)
# what stands between the time and the level: words that are no prose
_BEFORE_LEVEL = re.compile(
    rf"\s+((?:(?=\S*[A-Z0\[\].:/_@-])[^\s=\"']+\s+){{0,4}}?)\[?({_WORD})\b\]?:?(?=[\s|]|$)"
)
_LEVEL = re.compile(
    rf"[\s|]*(?:[\[(<]?(?:[\w.-]+:|[\w-]+\.(?=[A-Z]))?|\[[\w #.-]+/)({_ANY_WORD})\b"
    r"(?:/[\w-]+)?\s?[\])>]?:?(?=[\s|]|\[|$)"
)
_LETTER = re.compile(r"\s+(?:0\s+)+([VDIWEF])\s+")
_NUMBERS = re.compile(r"\s+(?:-?0\s+){1,2}(?=\S)")
_NAME = re.compile(r"(?<!\[)\b[A-Za-z]")
_PIPES = re.compile(r"\|\s*[\w.$-]*\|(?:0\|)?")
_BRACKET = re.compile(
    r"\s*(?:\[(?:[^\s\[\]]|\[[^\s\[\]]*\])*\]"  # a thread, a process
    r"|\[(?:(?=\S*0)[^\s\[\]:]+|-+)(?:\s+(?:(?=\S*0)[^\s\[\]:]+|-+))*\]"  # ids of a request
    r"|\[[a-z]+ 0+(?::[a-z]+ 0+)*\]"  # named ids
    r"|\((?:\w*|(?:[\w-]+\s){0,4}[\w-]*(?<=[\s-])0)\))(?=[\s:-])"  # a thread by its number
    r"|\s*\[[^\[\]]+\](?=\s+[\w$]+(?:\.[\w$]+)+:?\s)"  # a thread before a dotted logger
)
_DASH = re.compile(r"\s*(?:0\s+---|-{1,3}|[|:*])\s+")
_LOGGER = re.compile(
    r"\s*(?![\w.$]*(?:Error|Exception)\b)(?:"
    # a lower-case word and a colon is prose
    r"(?=\S*[A-Z0._$]\S*:\s|\S*(?:\s\s|\t|(?:\s\*0)?\s+-\s|\s?\|))"
    r"[\w$@/-]+(?:\.[\w$@/-]+)*(?:\(0\)|\[0\]|:0|\s\*0(?=\s-))?"
    r"(?::(?=\s)|\t|\s(?=\s)|\s+-(?=\s)|\s?\|)"
    r"|(?=\S*[a-z]\.[a-z]|\S+\[0\]\s)[A-Za-z][\w$]*(?:\.[\w$]+)+(?:\[0\])?(?=\s))\s*"
)
_TAG = re.compile(r"\s*[^\s:()]+\s*:\s")
_REQUEST = re.compile(r"\s*\[(?:(?=\S*0)[^\s\[\]:]+|-+)(?:\s+(?:(?=\S*0)[^\s\[\]:]+|-+))*\](?=\s)")
_WORKER = re.compile(r"\s+0#0:\s+(?:\*0\s+)?")  # process, thread, connection
_GLOG = re.compile(r"([IWEF])0\s0:0:0\.0\s+0\s+\S+:0\]\s*")
# a console logger that puts the category on a line of its own
_CATEGORY = re.compile(r"(trce|dbug|info|warn|fail|crit):\s+[\w.`+<>-]+\[0\]\s+")
_BARE = re.compile(
    rf"\s*(?:\[({_ANY_WORD})\]|({_WORD})\b|(info|warn|fail|crit)(?=:\s+[A-Z]\w*\.)):?(?:\s+|$)"
)


def after_header(text: str) -> tuple[int, str]:
    """(position of the message in folded `text`, level); (0, "") for a line without header."""
    glog = _GLOG.match(text)
    if glog:
        return glog.end(), _LETTERS[glog.group(1)]
    category = _CATEGORY.match(text)
    if category:
        return category.end(), LEVELS[category.group(1)]
    bare = _BARE.match(text)
    if bare is not None:
        level = LEVELS[bare.group(bare.lastindex or 0).lower()]
        times = _TIMES.match(text, bare.end())
        return _after_logger(text, times.end() if times else bare.end(), named=not times), level
    times = _TIMES.match(text)
    if times is None:
        return 0, ""
    position = times.end()
    container = _CONTAINER.match(text, position)
    if container:
        return container.end(), ""
    if _SYSLOG_END.search(times.group()):
        program = _PROGRAM.match(text, position)
        return (program.end() if program else position), ""
    letter = _LETTER.match(text, position)
    if letter:
        tag = _TAG.match(text, letter.end())
        return (tag.end() if tag else letter.end()), _LETTERS[letter.group(1)]
    before = _BEFORE_LEVEL.match(text, position)
    if before:
        named = _NAME.search(before.group(1)) is not None
        level = LEVELS[before.group(2).lower()]
        return _after_logger(text, before.end(), named=named), level
    plain = _LEVEL.match(text, position)
    if plain:
        level = LEVELS[plain.group(1).lower()]
        return _after_logger(text, plain.end(), named=False), level
    pipes = _PIPES.match(text, position)
    if pipes:
        return pipes.end(), ""
    numbers = _NUMBERS.match(text, position)
    return _after_logger(text, numbers.end() if numbers else position, named=bool(numbers)), ""


def _after_logger(text: str, position: int, named: bool) -> int:
    """Pass over brackets, dashes and, unless `named` already, one logger's name."""
    worker = _WORKER.match(text, position)
    if worker:
        return worker.end()
    for _ in range(6):
        bracket = _REQUEST if named else _BRACKET
        passed = _DASH.match(text, position) or bracket.match(text, position)
        if passed is None and not named:
            passed = _LOGGER.match(text, position)
            named = True
        if passed is None:
            break
        position = passed.end()
    return position

"""Templates of log lines: one table a format."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlation.logs.patterns import fingerprint, fingerprints, fits

JAVA = (
    "com.example.pool.PoolExhaustedException: pool exhausted (10/10 in use)\n"
    "\tat java.base/java.util.concurrent.Foo.get(Foo.java:12)\n"
    "\tat com.example.ChargeRepository.insert(ChargeRepository.java:88)\n"
    "Caused by: java.util.concurrent.TimeoutException: after 5000ms"
)
PYTHON = (
    "Traceback (most recent call last):\n"
    '  File "/app/shop/cart.py", line 12, in add\n    store.get(key)\n'
    '  File "/usr/lib/python3.11/site-packages/redis/client.py", line 5, in get\n    raise\n'
    "redis.exceptions.ConnectionError: Error 111 connecting to redis:6379"
)
GO = (
    "panic: runtime error: index out of range [5] with length 3\n\ngoroutine 12 [running]:\n"
    "runtime.goPanicIndex(0x5, 0x3)\n\t/usr/local/go/src/runtime/panic.go:113\n"
    "main.(*Server).handle(0xc000012)\n\t/src/main.go:42 +0x1d\n"
)
NODE = (
    "TypeError: Cannot read properties of undefined (reading 'id')\n"
    "    at node:internal/process/task_queues:95:5\n"
    "    at Checkout.place (/app/src/checkout.js:10:15)\n"
)
DOTNET = (
    "System.InvalidOperationException: Sequence contains no elements\n"
    "   at System.Linq.ThrowHelper.ThrowNoElementsException()\n"
    "   at Shop.Cart.Service.Add(Int32 id) in /src/Cart.cs:line 42"
)

CASES = [
    (
        'ts=2026-11-22T00:05:13.952Z level=error msg="pool exhausted" user_id=7 waiting=38',
        "pool exhausted",
        "error",
    ),
    ('level=warn msg="retry 3 of 5" err="dial tcp 10.0.0.7:5432: refused"',
     "retry <num> of <num>: dial tcp <addr>: refused", "warn"),
    ('{"level": "ERROR", "message": "charge 42 failed", "order_id": null}',
     "charge <num> failed", "error"),
    ('{"level":"error","message":"cut off json', "cut off json", "error"),
    ('{"level":"error","message":"a \\u001b[31mred\\u001b[0m word"}', "a red word", "error"),
    ("2026-11-22 00:05:13.952 UTC [123] LOG:  duration: 2345.678 ms  statement: SELECT 1",
     "duration: <dur> statement: SELECT <num>", "info"),
    ("2024-01-02 10:11:12.345 INFO [main] com.foo.Bar - Order 123 shipped in 4.5s",
     "Order <num> shipped in <dur>", "info"),
    ("E1122 00:05:13.952000 1 server.go:99] dial tcp 10.1.2.3:5432: refused",
     "dial tcp <addr>: refused", "error"),
    ("GET /api/v1/orders/9981 status=503 took 12ms", "GET <path> status=503 took <dur>", ""),
    ("user 550e8400-e29b-41d4-a716-446655440000 of a@b.example left", "user <id> of <email> left",
     ""),
    ('I1122 00:05:13.952000 1 pod.go:9] "Probe failed" pod="shop/cart-7" err="dial 10.0.0.7: EOF"',
     "Probe failed: dial <addr>: EOF", "info"),
    ('<189>date=2026-11-22 dev="gate 2" level="error" msg="HA down"', "HA down", "error"),
    ('Nov 22 00:05:13 web-1 cart[7]: level=warn msg="try 3 of 5"', "try <num> of <num>", "warn"),
    ("%LINK-3-UPDOWN: Interface 7 down", "%LINK-3-UPDOWN: Interface <num> down", ""),
    ("job blk_-17 lost", "job blk_<num> lost", ""),
    ("peer 2001:db8::7 of fe80::1ff:fe23:4567:890a gone", "peer <addr> of <addr> gone", ""),
    ("std::vector and ec::be", "std::vector and ec::be", ""),
    ("Logger#39 x", "Logger#39 x", ""),
    ("Logger#46 x", "Logger#46 x", ""),
    ("", "", ""),
    (JAVA, "com.example.pool.PoolExhaustedException at "
     "com.example.ChargeRepository.insert(ChargeRepository.java)", "error"),
    (PYTHON, "redis.exceptions.ConnectionError at add(cart.py)", "error"),
    (GO, "panic: runtime error: index out of range [<num>] with length <num> at "
     "main.(*Server).handle(main.go)", "fatal"),
    (NODE, "TypeError at Checkout.place(checkout.js)", "error"),
    (DOTNET, "System.InvalidOperationException at Shop.Cart.Service.Add", "error"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "template", "level"), CASES)
def test_fingerprint_gives_template_and_level(line: str, template: str, level: str) -> None:
    found = fingerprint(line)

    assert (found[0], found[2]) == (template, level)


def test_fingerprint_of_json_folds_the_stack_it_carries() -> None:
    stack = JAVA.replace("\n", "\\n").replace("\t", "\\t")
    line = f'{{"level": "ERROR", "message": "charge failed", "exception": "{stack}"}}'

    template, _, level = fingerprint(line)

    assert template == (
        "charge failed | com.example.pool.PoolExhaustedException at "
        "com.example.ChargeRepository.insert(ChargeRepository.java)"
    )
    assert level == "error"


def test_template_ids_are_stable_across_processes() -> None:
    assert fingerprint("Logger#39 x")[1] == "687c2d04aef9"
    assert fingerprint("Logger#46 x")[1] == "1966d2944f0b"


def test_a_host_seen_alone_has_the_id_it_has_among_others() -> None:
    one, other = "connect to db.a.example now", "connect to db.b.example:80 now"

    alone, among = fingerprint(one), fingerprints([one, other])[0]

    assert (alone[0], among[0]) == (one, "connect to <*> now")
    assert alone[1] == among[1]


def test_fingerprints_agree_with_fingerprint_in_any_order() -> None:
    lines = [case[0] for case in CASES] + ["status=500 a", "status=404 a", "v2 up", "v3 up"]
    shuffled = lines * 3
    random.Random(1).shuffle(shuffled)

    found = fingerprints(shuffled)

    assert found == [fingerprint(line) for line in shuffled]


@given(st.text(max_size=300))
def test_fingerprint_accepts_any_text(text: str) -> None:
    template, identity, _ = fingerprint(text)

    assert (len(identity), "\n\n" in template) == (12, False)


@pytest.mark.parametrize(
    ("pattern", "line", "fit"),
    [
        ("order <_> failed", "order 17 failed", True),
        ("order <_> failed", "order failed", False),
        ("order <_> failed", "order 17 failed twice", False),
        ("<_> a <_> b <_>", "x a y b z", True),
        ("<_> a <_> b <_>", "x b y a z", False),
        ("ab<_>ba", "aba", False),
        ("plain", "plain", True),
        ("plain", "plainly", False),
    ],
)
def test_fits_keeps_the_fixed_parts_in_order(pattern: str, line: str, fit: bool) -> None:
    assert fits(pattern.split("<_>"), line) is fit


HEADERS = [
    ("Nov 22 00:05:13 web-1 sshd(pam_unix)[19939]: session opened", "session opened", ""),
    ("<34>Nov 22 00:05:13 web-1 kernel: out of memory", "out of memory", ""),
    ("[Sun Nov 22 00:05:13 2026] [notice] child init 5", "child init <num>", "info"),
    ("[10.30 16:49:06] app.exe - opened", "opened", ""),
    ("2026-11-22 00:05:13,952 - INFO  [Peer[id=1]/0:0:0:0:2181:Election@774] - Notification",
     "Notification", "info"),
    ("261122 000513 148 WARN dfs.Node$Packet: late", "late", "warn"),
    ("11-22 00:05:13.811  1702  2395 E WindowManager: gone", "gone", "error"),
    ("20261122-00:05:13:606|Steps|30002312|changed 3579", "changed <num>", ""),
    ("1732233913 node-7 RAS KERNEL FATAL parity broken", "parity broken", "fatal"),
    ("2026-11-22T00:05:13.952Z  WARN 1 --- [nio-8080-exec-1] c.e.shop.Cart    : slow", "slow",
     "warn"),
    ("[2026-11-22 00:05:13,952: ERROR/MainProcess] Task failed", "Task failed", "error"),
    ("2026-11-22T00:05:13.9Z\tINFO\tcontroller/cart.go:12\tStarted", "Started", "info"),
    ('2026-11-22T00:05:13.9Z stdout F {"level":"warn","msg":"late by 3s"}', "late by <dur>",
     "warn"),
    ('{"level":50,"msg":"broken"}', "broken", "error"),
    ("2026-11-22 00:05:13 cart checkout failed for 7", "cart checkout failed for <num>", ""),
    ("[11.22 00:05:13] app.exe *64 - opened", "opened", ""),
    ("2026/11/22 00:05:13 [error] 31#31: *77 open failed", "open failed", "error"),
    ("[Sun Nov 22 00:05:13.1 2026] [ssl:warn] [pid 7:tid 140203871] late", "late", "warn"),
    ("[2026-11-22T00:05:13,952][WARN ][o.e.m.Jvm] [data-1] slow", "slow", "warn"),
    ("2026-11-22 00:05:13,952 INFO [IPC handler 2 on 9] org.shop.Server: up", "up", "info"),
    ("2026-11-22T00:05:13Z info: Shop.Orders.Service[0] up", "up", "info"),
    ("2026-11-22 00:05:13.952 UTC [7] app@shop ERROR:  gone", "gone", "error"),
    ("2026-11-22 00:05:13 ERROR TimeoutError: read", "TimeoutError: read", "error"),
    ("<189>123: sw-1: *Nov 22 00:05:13.123: %LINK-3-UPDOWN: lost", "%LINK-3-UPDOWN: lost", ""),
    ("[00:05:13] [Server thread/WARN]: late by 7 ticks", "late by <num> ticks", "warn"),
    ("00:05:13,123 INFO  [shop.Pool] (default task-7) full", "full", "info"),
    ("00:05:13,123 INFO  [shop.Pool] (Service Thread Pool -- 12) full", "full", "info"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "template", "level"), HEADERS)
def test_headers_are_passed_over(line: str, template: str, level: str) -> None:
    found = fingerprint(line)

    assert (found[0], found[2]) == (template, level)


TOGETHER = [
    (["connect to db.a.example now", "connect to 10.0.0.7 now"], "connect to <*> now"),
    (["from 10.0.0.7 () at 5", "from 10.0.0.7 (10.0.0.7) at 6"], "from <*> at <*>"),
    (["closed, 10 bytes sent", "closed, 1190 bytes (1.16 KB) sent"], "closed, <*> sent"),
    (["denied ruser= rhost=10.0.0.7", "denied ruser=al_7 rhost=db.a.example"],
     "denied ruser=<*> rhost=<*>"),
    (["ids 1, 2, 3 gone", "ids 4 gone"], "ids <*> gone"),
    (["lifetime 00:02 over", "lifetime <1 sec over"], "lifetime <*> over"),
    ([f"password for {name} was refused" for name in
      ("amy", "bob", "cy", "dee", "eve", "fay", "gus", "hal", "ida", "jo", "kim", "lou")],
     "password for <*> was refused"),
    (["GET /a/b done", "GET /c/d/e?f=1 done"], "GET <path> done"),
    (["dial db:5432 failed", "dial 10.0.0.7:5432 failed", "dial cache:6379 failed"],
     "dial <*> failed"),
    (["login of <amy> from 10.0.0.7 took", "login of <bob> from a.b.example took",
      "login of <cy> from 10.0.0.7 took"], "login of <*> from <*> took"),
    (["mail of queue digest sent", "mail of queue invoice sent", "mail of queue welcome sent"],
     "mail of queue <*> sent"),
    (["down: worker7 of web", "down: lane12 of web"], "down: <*> of web"),
    (["ran Setup.EXE at noon", "ran backup-tool.exe at noon"], "ran <*> at noon"),
    (["localhost is up again", "10.0.0.7 is up again"], "<*> is up again"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "template"), TOGETHER)
def test_lines_that_differ_in_a_value_share_a_template(lines: list[str], template: str) -> None:
    found = fingerprints(lines)

    assert {shown for shown, _, _ in found} == {template}
    assert len({identity for _, identity, _ in found}) == 1


@pytest.mark.parametrize(
    "lines",
    [
        ["Logger#39 x", "Logger#46 x"],
        ["GET /a/b status=500", "GET /a/b status=200"],
        ["feature=true set", "feature=false set"],
        [
            f"task was {state} by hand"
            for state in ("queued", "started", "paused", "stopped", "lost")
        ],
        ["load failed: KeyError here", "load failed: OSError here", "load failed: IOError here"],
        ["circuit open for cart", "circuit closed for cart"],
        ["env:host.name=a.b.example", "env:java.home=/opt/java", "env:os.arch=amd64", "env:a.b=c"],
        [f"action {app}.{state} seen" for app in ("shop.cart",) for state in ("LOST", "TIME_OUT")],
        ["%FW-6-302013: Built for 7", "%FW-6-302014: Built for 7"],
        ['"SyncLoop ADD" source="api"', '"SyncLoop DELETE" source="api"'],
        ["pull failed: ErrImagePullBackOff", "pull failed: CrashLoopBackOff"],
    ],
)
def test_lines_that_say_different_things_stay_apart(lines: list[str]) -> None:
    found = fingerprints(lines)

    assert len({identity for _, identity, _ in found}) == len(lines)


def test_templates_do_not_depend_on_order_or_repetition() -> None:
    lines = [line for together, _ in TOGETHER for line in together] + [c[0] for c in HEADERS]
    shuffled = lines * 2
    random.Random(2).shuffle(shuffled)

    first = dict(zip(lines, fingerprints(lines), strict=True))
    second = dict(zip(shuffled, fingerprints(shuffled), strict=True))

    assert second == first

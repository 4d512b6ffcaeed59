"""Traces kept line by line become one line again."""

from __future__ import annotations

import pytest

from correlation.logs.line_joining import joined
from correlation.logs.patterns import fingerprint
from correlation.telemetry import LogLine


def _lines(text: str, service: str = "cart", at: float = 100.0) -> list[LogLine]:
    return [
        LogLine(service, at + number * 1e-4, line) for number, line in enumerate(text.split("\n"))
    ]


JAVA = (
    "2026-11-22 10:00:00,123 ERROR [http-4] shop.Checkout - order 9 failed\n"
    "java.util.concurrent.CompletionException: java.net.SocketTimeoutException: Read timed out\n"
    "\tat java.base/java.util.concurrent.CompletableFuture.get(CompletableFuture.java:31)\n"
    "\tat shop.checkout.Payments.charge(Payments.java:52)\n"
    "\t... 31 more\n"
    "Caused by: java.net.SocketTimeoutException: Read timed out\n"
    "\tat java.base/sun.nio.ch.Net.poll(Native Method)"
)
PYTHON = (
    "ERROR:shop.orders:order 17 failed\n"
    "Traceback (most recent call last):\n"
    '  File "/app/shop/db.py", line 40, in connect\n'
    "    return psycopg.connect(url)\n"
    "psycopg.OperationalError: connection refused\n"
    "\n"
    "The above exception was the direct cause of the following exception:\n"
    "\n"
    "Traceback (most recent call last):\n"
    '  File "/app/shop/orders.py", line 12, in place\n'
    "    db = connect()\n"
    "shop.errors.StoreUnavailable: orders"
)
GO = (
    "panic: assignment to entry in nil map [recovered]\n"
    "\tpanic: assignment to entry in nil map\n"
    "[signal SIGSEGV: segmentation violation]\n"
    "\n"
    "goroutine 34 [running]:\n"
    "panic({0x6d3c40?, 0x8c7d10?})\n"
    "\t/usr/local/go/src/runtime/panic.go:914 +0x21f\n"
    "main.(*Cart).Add(0xc0000b2000)\n"
    "\t/src/cart.go:57 +0x4e\n"
    "created by main.main in goroutine 1\n"
    "\t/src/main.go:31 +0x8b"
)
NODE = (
    "TypeError: fetch failed\n"
    "    at node:internal/deps/undici/undici:12345:11\n"
    "    at async charge (file:///app/dist/payments.mjs:17:15) {\n"
    "  code: 'UND_ERR'\n"
    "}"
)
DOTNET = (
    "fail: Shop.Orders.OrderService[0]\n"
    "      order 17 failed\n"
    "      System.InvalidOperationException: no stock\n"
    "         at Shop.Orders.Stock.<TakeAsync>d__7.MoveNext() in /src/Stock.cs:line 51"
)

PHP = (
    "PHP Fatal error:  Uncaught RuntimeException: no stock in /app/src/Stock.php:31\n"
    "Stack trace:\n"
    "#0 /app/src/Cart.php(88): Shop\\Stock->take(17)\n"
    "#1 {main}\n"
    "\n"
    "Next Shop\\CartException: cart is lost in /app/src/Cart.php:90\n"
    "Stack trace:\n"
    "#0 /app/src/index.php(3): Shop\\Cart->place()\n"
    "#1 {main}\n"
    "  thrown in /app/src/Cart.php on line 90"
)
RUBY = (
    "/app/lib/stock.rb:42:in `take': no stock (Shop::StockError)\n"
    "\tfrom /app/lib/cart.rb:17:in `block in place'\n"
    "\tfrom /app/bin/server:3:in `<main>'"
)
RAILS = (
    "ActiveRecord::ConnectionTimeoutError (no connection within 5 seconds):\n"
    "\n"
    "activerecord (7.0.4) lib/active_record/pool.rb:207:in `wait_poll'\n"
    "app/models/order.rb:31:in `reserve'"
)
GROUP = (
    "  + Exception Group Traceback (most recent call last):\n"
    '  |   File "/app/shop/batch.py", line 10, in run\n'
    "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
    "  +-+---------------- 1 ----------------\n"
    "    | Traceback (most recent call last):\n"
    '    |   File "/app/shop/pay.py", line 3, in charge\n'
    "    | ValueError: no card\n"
    "    +------------------------------------"
)

TRACES = [
    (PHP, "PHP Fatal error | Shop\\CartException at Shop\\Cart->place(Cart.php)"),
    (RUBY, "Shop::StockError at take(stock.rb)"),
    (RAILS, "ActiveRecord::ConnectionTimeoutError at reserve(order.rb)"),
    (GROUP, "ValueError at charge(pay.py)"),
    (JAVA, "order <num> failed | java.net.SocketTimeoutException at "
     "shop.checkout.Payments.charge(Payments.java)"),
    (PYTHON, "ERROR:shop.orders:order <num> failed | shop.errors.StoreUnavailable at "
     "place(orders.py)"),
    (GO, "panic: assignment to entry in nil map at main.(*Cart).Add(cart.go)"),
    (NODE, "TypeError at charge(payments.mjs)"),
    (DOTNET, "order <num> failed | System.InvalidOperationException at "
     "Shop.Orders.Stock.TakeAsync"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "template"), TRACES)
def test_a_trace_becomes_one_line_and_one_template(text: str, template: str) -> None:
    found = joined(_lines(text))

    assert [line.message for line in found] == [text]
    assert fingerprint(found[0].message)[0] == template


@pytest.mark.parametrize("text", [text for text, _ in TRACES])
def test_what_comes_after_a_trace_is_a_line_of_its_own(text: str) -> None:
    after = LogLine("cart", 100.5, "INFO: listening on :8080")

    found = joined([*_lines(text), after])

    assert found[-1] == after
    assert len(found) == 2


def test_traces_of_two_services_at_one_time_do_not_mix() -> None:
    first, second = _lines(JAVA, "cart"), _lines(NODE, "web")
    mixed = sorted([*first, *second], key=lambda line: line.at)

    found = {line.service: line.message for line in joined(mixed)}

    assert found == {"cart": JAVA, "web": NODE}


def test_a_late_frame_stays_alone() -> None:
    head, frame = LogLine("cart", 1.0, "boom"), LogLine("cart", 9.0, "\tat shop.A.b(A.java:1)")

    assert joined([head, frame]) == [head, frame]


def test_ordinary_lines_stay_as_they_are() -> None:
    texts = ["  indented banner", "POST /a 200", "load(x)", "}", "", "ready: yes", "at noon we met"]
    lines = [LogLine("cart", float(number) / 100, text) for number, text in enumerate(texts)]

    assert joined(lines) == lines


def test_a_traceback_does_not_join_a_line_that_tells_of_no_failure() -> None:
    lines = [LogLine("cart", 1.0, "GET /a 200"), *_lines(PYTHON.split("\n", 1)[1], at=1.01)]

    found = joined(lines)

    assert [line.message for line in found] == ["GET /a 200", PYTHON.split("\n", 1)[1]]

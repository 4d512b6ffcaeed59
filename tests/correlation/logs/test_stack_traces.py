"""Stack traces folded to exception type and top own frame: one table a language."""

from __future__ import annotations

import json

import pytest

from correlation.logs.patterns import fingerprint, fingerprints
from correlation.logs.stack_traces import fold

CASES = [
    (
        'Exception in thread "main" java.lang.IllegalStateException: no stock\n'
        "\tat java.base/java.util.Optional.orElseThrow(Optional.java:403)\n"
        "\tat shop.stock.Store.take(Store.java:31)\n"
        "\tat shop.Main.main(Main.java:9)",
        "java.lang.IllegalStateException at shop.stock.Store.take(Store.java)",
    ),
    (
        "shop.OrderException: wrapped\n"
        "\tat shop.Orders.lambda$place$3(Orders.java:88)\n"
        "Caused by: java.sql.SQLException: closed\n\t... 12 more",
        "shop.OrderException at shop.Orders.lambda$place$(Orders.java)",
    ),
    (
        "SqlExceptionHelper reports\n"
        "java.sql.SQLException: closed\n"
        "\tat shop.Db$$EnhancerBySpringCGLIB$$9f1a.get(Db.java:8)",
        "java.sql.SQLException at shop.Db.get(Db.java)",
    ),
    (
        "Traceback (most recent call last):\n"
        '  File "/app/a.py", line 3, in load\n    return rows[0]\n'
        "           ~~~~^^^\n"
        "IndexError: list index out of range\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n"
        '  File "/app/b.py", line 5, in main\n    raise Missing()\n'
        "shop.errors.Missing",
        "shop.errors.Missing at main(b.py)",
    ),
    (
        "2026/11/22 00:05:13 http: panic serving 10.0.0.1:4312: runtime error: nil map\n"
        "goroutine 7 [running]:\n"
        "net/http.(*conn).serve.func1()\n\t/usr/local/go/src/net/http/server.go:1850 +0xbf\n"
        "encoding/json.Unmarshal(0xc1)\n\t/usr/local/go/src/encoding/json/decode.go:9 +0x1\n"
        "main.(*Cart).add.func2(0xc0001)\n\t/src/cart/cart.go:42 +0x1d\n",
        "panic: runtime error: nil map at main.(*Cart).add.func(cart.go)",
    ),
    (
        "TypeError: Cannot read properties of undefined (reading 'id')\n"
        "    at Layer.handle (/app/node_modules/express/lib/router/layer.js:95:5)\n"
        "    at async Checkout.place (/app/src/checkout.js:10:15)",
        "TypeError at Checkout.place(checkout.js)",
    ),
    (
        "Unhandled exception. System.InvalidOperationException: no elements\n"
        " ---> System.ArgumentException: key\n"
        "   at System.Linq.ThrowHelper.ThrowNoElementsException()\n"
        "   at Shop.Cart.<AddAsync>d__12.MoveNext() in /src/Cart.cs:line 42",
        "System.InvalidOperationException at Shop.Cart.AddAsync",
    ),
    (
        "java.util.concurrent.CompletionException: java.lang.IllegalStateException: no stock\n"
        "\tat java.base/java.util.concurrent.CompletableFuture.get(CompletableFuture.java:314)\n"
        "Caused by: java.lang.IllegalStateException: no stock\n"
        "\tat shop.stock.Store.lambda$take$0(Store.java:88)\n",
        "java.lang.IllegalStateException at shop.stock.Store.lambda$take$(Store.java)",
    ),
    (
        "kotlinx.coroutines.TimeoutCancellationException: Timed out\n"
        "\tat _COROUTINE._BOUNDARY._(CoroutineDebugging.kt:46)\n"
        "\tat shop.Prices$quote$2.invokeSuspend(Prices.kt:41)\n",
        "kotlinx.coroutines.TimeoutCancellationException at "
        "shop.Prices$quote$.invokeSuspend(Prices.kt)",
    ),
    (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/app/shop/fanout.py", line 31, in run\n'
        "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | Traceback (most recent call last):\n"
        '    |   File "/app/shop/fanout.py", line 12, in fetch\n'
        "    | TimeoutError: upstream\n"
        "    +------------------------------------\n",
        "TimeoutError at fetch(fanout.py)",
    ),
    (
        "fatal error: concurrent map writes\n\ngoroutine 77 [running]:\n"
        "runtime.throw({0x1, 0x2})\n\t/usr/local/go/src/runtime/panic.go:1077 +0x5c\n"
        "shop/cart.(*Cache[...]).Put(0xc0)\n\t/src/cart/cache.go:19 +0x8\n\n"
        "goroutine 1 [chan receive]:\nmain.main()\n\t/src/main.go:9 +0x1\n",
        "fatal error: concurrent map writes at shop/cart.(*Cache[...]).Put(cache.go)",
    ),
    (
        "load cart: connection refused\nshop/cart/store.Load\n\t/src/cart/store/load.go:31\n"
        "runtime.goexit\n\t/usr/local/go/src/runtime/asm_amd64.s:1650",
        "failed at shop/cart/store.Load(load.go)",
    ),
    (
        "Error: checkout failed\n    at placeOrder (file:///app/dist/checkout.mjs:88:11) {\n"
        "  [cause]: TypeError: fetch failed\n      at node:internal/deps/undici:12345:11\n  }\n}",
        "Error at placeOrder(checkout.mjs)",
    ),
    (
        "System.AggregateException: One or more errors occurred. (refused)\n"
        " ---> System.Net.Sockets.SocketException (111): refused\n"
        "   at System.Net.Sockets.Socket.DoConnect(EndPoint point)\n"
        "   at Shop.Cart.Redis.ConnectAsync(CancellationToken ct) in /src/Redis.cs:line 88\n",
        "System.Net.Sockets.SocketException at Shop.Cart.Redis.ConnectAsync",
    ),
    (
        "System.NullReferenceException: Object reference not set\n"
        "   at Shop.Orders.Stock.Take(Int32 id)\n",
        "System.NullReferenceException at Shop.Orders.Stock.Take",
    ),
    (
        "thread 'main' panicked at src/store.rs:41:9:\ncalled unwrap\nstack backtrace:\n"
        "   0: rust_begin_unwind\n             at /rustc/std/src/panicking.rs:645:5\n"
        "   1: core::panicking::panic_fmt\n   2: cart::store::load\n",
        "panic at cart::store::load",
    ),
    (
        "PHP Fatal error:  Uncaught PDOException: refused in /var/www/src/Db/Pool.php:31\n"
        "Stack trace:\n"
        "#0 /var/www/src/Db/Pool.php(31): PDO->__construct('mysql:host=db', 'shop')\n"
        "#1 /var/www/src/Cart/Repo.php(88): Shop\\Db\\Pool->get()\n"
        "#2 /var/www/vendor/laravel/framework/Controller.php(54): Shop\\Cart\\Repo->find(17)\n"
        "#3 {main}\n  thrown in /var/www/src/Db/Pool.php on line 31",
        "PDOException at Shop\\Db\\Pool->get(Pool.php)",
    ),
    (
        "PHP Fatal error:  Uncaught RuntimeException: inner in /app/vendor/acme/a.php:3\n"
        "Stack trace:\n#0 /app/src/a.php(9): load()\n#1 {main}\n\n"
        "Next Shop\\CartException: outer in /app/vendor/acme/b.php:7\n"
        "Stack trace:\n#0 /app/src/b.php(12): Acme\\Store->total()\n"
        "#1 [internal function]: Shop\\Cart::sum(1)\n#2 /app/src/index.php(3): array_map()\n"
        "#3 {main}\n  thrown in /app/vendor/acme/b.php on line 7",
        "Shop\\CartException at Shop\\Cart::sum(b.php)",
    ),
    (
        "/app/lib/cart.rb:42:in `block (2 levels) in total': undefined method `price' for "
        "nil:NilClass (NoMethodError)\n\tfrom /app/lib/checkout.rb:17:in `place'",
        "NoMethodError at total(cart.rb)",
    ),
    (
        "/usr/local/bundle/gems/pg-1.5/lib/pg.rb:7:in 'PG.connect': could not connect "
        "(PG::ConnectionBad)\n\tfrom /app/lib/store.rb:9:in 'Store#open'",
        "PG::ConnectionBad at Store#open(store.rb)",
    ),
    (
        "ActiveRecord::ConnectionTimeoutError (no connection within 5.000 seconds):\n  \n"
        "activerecord (7.0.4) lib/active_record/pool.rb:207:in `block in wait_poll'\n"
        "app/models/order.rb:31:in `reserve'",
        "ActiveRecord::ConnectionTimeoutError at reserve(order.rb)",
    ),
    ("no trace here", ""),
    ("two lines\nlooked at twice", ""),
]


@pytest.mark.parametrize(("text", "folded"), CASES)
def test_fold_names_the_exception_and_the_top_own_frame(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_traces_differ_by_build_and_value_share_a_template() -> None:
    trace = CASES[0][0]

    moved = trace.replace(":31", ":35").replace("no stock", "no stock of 7")

    assert fingerprint(trace)[1] == fingerprint(moved)[1]


def test_traces_of_two_exceptions_at_one_place_stay_two_templates() -> None:
    head = "2026-11-22 00:05:13,952 ERROR [http-8] shop.Api - order failed\n"
    first = head + CASES[0][0]
    second = first.replace("IllegalStateException", "IllegalArgumentException")

    found = fingerprints([first, second])

    assert [template for template, _, _ in found] == [
        "order failed | java.lang.IllegalStateException at shop.stock.Store.take(Store.java)",
        "order failed | java.lang.IllegalArgumentException at shop.stock.Store.take(Store.java)",
    ]


def test_a_warning_of_php_is_told_by_where_it_was_not_by_who_made_an_exception_of_it() -> None:
    text = (
        '[2026-11-22 00:05:13] production.ERROR: Undefined key "total" {"userId":7,"exception":'
        '"[object] (ErrorException(code: 0): Undefined key at /var/www/app/Totals.php:42)\n'
        "[stacktrace]\n"
        "#0 /var/www/vendor/acme/Handler.php(255): Acme\\Handler->handleError()\n"
        "#1 /var/www/app/Totals.php(42): Acme\\Handler->Acme\\{closure}()\n"
        '#2 /var/www/app/Cart.php(19): App\\Totals->sum()\n#3 {main}\n"}'
    )

    template, _, level = fingerprint(text)

    assert template == 'Undefined key "total" | ErrorException at App\\Totals->sum(Totals.php)'
    assert level == "error"


def test_frames_in_a_list_are_read_with_the_type_beside_them() -> None:
    error = {
        "class": "Net::ReadTimeout",
        "message": "no answer",
        "backtrace": ["/app/lib/pay.rb:7:in `charge'", "/app/lib/cart.rb:9:in `place'"],
    }

    template, _, level = fingerprint(json.dumps({"level": "error", "msg": "lost", "error": error}))

    assert template == "lost: no answer | Net::ReadTimeout at charge(pay.rb)"
    assert level == "error"

"""Stack traces as each runtime prints them."""

from __future__ import annotations

from lab.world import ServiceSpec


def _package(service: str) -> str:
    return service.replace("-", "")


def unhandled(spec: ServiceSpec, route: str, version: str) -> tuple[str, str]:
    """Message and stack of an exception that nothing caught in a handler of this service."""
    package = _package(spec.name)
    if spec.log_format == "java":
        message = f"java.lang.IllegalStateException: request handler failed for {route}"
        return message, (
            f"{message}\n"
            f"\tat com.example.{package}.api.Handler.handle(Handler.java:118)\n"
            f"\tat com.example.{package}.http.Dispatcher.dispatch(Dispatcher.java:64)\n"
            "\tat java.base/java.lang.Thread.run(Thread.java:1583)"
        )
    if spec.log_format == "python":
        message = "RuntimeError: request handler failed"
        return message, (
            "Traceback (most recent call last):\n"
            f'  File "/app/{package}/dispatch.py", line 71, in dispatch\n'
            "    return handler(request)\n"
            f'  File "/app/{package}/handlers.py", line 143, in handle\n'
            "    raise RuntimeError(reason)\n"
            f"{message}"
        )
    if spec.log_format == "json":
        message = "TypeError: Cannot read properties of undefined (reading 'total')"
        return message, (
            f"{message}\n"
            f"    at render (/srv/{package}/dist/render.js:88:21)\n"
            f"    at handle (/srv/{package}/dist/server.js:140:9)"
        )
    message = "panic: runtime error: invalid memory address or nil pointer dereference"
    return message, (
        "goroutine 4127 [running]:\n"
        f"github.com/example/shop/{package}/{version}/handlers.handle(0xc0004a2000)\n"
        f"\t/src/{package}/handlers/handle.go:97 +0x1f4\n"
        "net/http.HandlerFunc.ServeHTTP(...)\n"
        "\t/usr/local/go/src/net/http/server.go:2220"
    )


def crash(spec: ServiceSpec) -> tuple[str, str]:
    """Message and stack of the exception that ends a container of this service."""
    package = _package(spec.name)
    if spec.log_format == "python":
        message = "KeyError: 'warehouse_region'"
        return message, (
            "Traceback (most recent call last):\n"
            f'  File "/app/{package}/__main__.py", line 31, in main\n'
            "    settings = load_settings(source)\n"
            f'  File "/app/{package}/settings.py", line 58, in load_settings\n'
            '    region = values["warehouse_region"]\n'
            f"{message}"
        )
    return unhandled(spec, "start", spec.version)


def pool_exhausted(pool: str, in_use: int, size: int, waiting: int, timeout_ms: int) -> str:
    """The stack that the connection pool throws."""
    return (
        "com.example.pool.PoolExhaustedException: connection pool exhausted: "
        f"{pool} ({in_use}/{size} in use, {waiting} waiting)\n"
        "\tat com.example.pool.ConnectionPool.acquire(ConnectionPool.java:212)\n"
        "\tat com.example.repository.Repository.open(Repository.java:88)\n"
        f"Caused by: java.util.concurrent.TimeoutException: timed out after {timeout_ms}ms"
        " waiting for a connection"
    )

"""What each route of the shop does: the call graph, as handlers.

A handler runs after the service's own work is done and returns an HTTP status.
"""

from __future__ import annotations

from lab.mesh import REFUSED, TIMEOUT, Handler, Mesh, Operation, Request, Statement, failed
from lab.pods import Pod
from lab.processes import Process
from lab.stacks import pool_exhausted

CACHE_GET = Statement("GET", 0.0003, 0.0006, 0.25)
CACHE_SET = Statement("SET", 0.0003, 0.0006, 0.25)
PUBLISH = Statement("publish orders", 0.0005, 0.0015, 1.0)
SELECT_PRODUCT = Statement("SELECT * FROM products WHERE id = $1", 0.002, 0.008, 3.0)
UPDATE_STOCK = Statement(
    "UPDATE stock SET reserved = reserved + $1 WHERE sku = $2", 0.002, 0.009, 3.0
)
SELECT_ACCOUNT = Statement("SELECT * FROM accounts WHERE user_id = $1", 0.0015, 0.007, 3.0)
INSERT_CHARGE = Statement("INSERT INTO charges VALUES ($1, $2, $3)", 0.002, 0.009, 3.0)

CACHE_MISS_PROBABILITY = 0.3
CARD_GATEWAY_SECONDS = 0.06
RETRY_AFTER_SECONDS = 0.05
QUEUE_RETRY_SECONDS = 2.0
QUEUE_ATTEMPTS = 5
BACKGROUND_ERROR_PROBABILITY = 0.001


def _dependency_failed(
    mesh: Mesh, request: Request, pod: Pod, peer: str, status: int, index: int
) -> int:
    """Log a failed call and return the status it gives its own caller: 502 or 504."""
    answer = 504 if status == TIMEOUT else 502
    what = {TIMEOUT: "timeout", REFUSED: "connection refused"}.get(status, str(status))
    request.spans[index].detail = f"{peer}: {what}"
    mesh.logs.write(
        pod, "error", "upstream request failed", peer=peer, cause=what,
        user_id=request.user, trace_id=request.trace_id,
    )  # fmt: skip
    return answer


def _sometimes(mesh: Mesh, request: Request, pod: Pod, share: float, message: str) -> None:
    if mesh.rng.random() < share:
        mesh.logs.write(pod, "info", message, user_id=request.user, trace_id=request.trace_id)


def _with_database(
    mesh: Mesh,
    request: Request,
    pod: Pod,
    statements: tuple[Statement, ...],
    pause_seconds: float,
    deadline: float,
    index: int,
) -> Process[int]:
    """Run statements on one pooled connection; `pause_seconds` of other work between them."""
    spec, pool, epoch = pod.spec.pool, pod.pool, pod.epoch
    assert spec is not None
    assert pool is not None
    limit = min(deadline, mesh.loop.now + spec.acquire_timeout_seconds)
    if pool.in_use < pool.capacity and not pool.pending:
        pool.in_use += 1
    elif not (yield from pool.acquire(limit)):
        if pod.epoch != epoch:
            return REFUSED
        timeout_ms = round(spec.acquire_timeout_seconds * 1000)
        waiting = pool.pending
        stack = ""
        if pod.spec.log_format == "java" and mesh.rng.random() < 0.1:
            stack = pool_exhausted(spec.name, pool.in_use, pool.capacity, waiting, timeout_ms)
        mesh.logs.write(
            pod, "error", "connection pool exhausted", stack, user_id=request.user,
            order_id=f"ord-{request.order}", pool=spec.name, in_use=pool.in_use,
            max=pool.capacity, waiting=waiting, timeout=f"{timeout_ms}ms",
            trace_id=request.trace_id,
        )  # fmt: skip
        request.spans[index].detail = "connection pool exhausted"
        return 503
    status = 200
    for number, statement in enumerate(statements):
        if number and pause_seconds:
            yield min(deadline, mesh.loop.now + pause_seconds * mesh.noise())
        status = yield from mesh.query(request, pod, "postgres", statement, deadline, index)
        if failed(status):
            break
    hold = pod.workload.conditions.pool_hold_seconds
    if hold:
        mesh.loop.spawn(pool.release_at(mesh.loop.now + hold * mesh.noise()))
    else:
        pool.release()
    if failed(status):
        return _dependency_failed(mesh, request, pod, "postgres", status, index)
    return 200


def list_products(
    mesh: Mesh, request: Request, pod: Pod, deadline: float, index: int
) -> Process[int]:
    status = yield from mesh.query(request, pod, "redis", CACHE_GET, deadline, index)
    if failed(status) or mesh.rng.random() < CACHE_MISS_PROBABILITY:
        # A cache that does not answer counts as a miss.
        status = yield from _with_database(
            mesh, request, pod, (SELECT_PRODUCT,), 0.0, deadline, index
        )
        if failed(status):
            return status
        yield from mesh.query(request, pod, "redis", CACHE_SET, deadline, index)
    _sometimes(mesh, request, pod, 0.04, "products listed")
    return 404 if mesh.rng.random() < 0.005 else 200


def change_cart(
    mesh: Mesh, request: Request, pod: Pod, deadline: float, index: int
) -> Process[int]:
    status = yield from mesh.query(request, pod, "redis", CACHE_SET, deadline, index)
    if failed(status):
        return _dependency_failed(mesh, request, pod, "redis", status, index)
    _sometimes(mesh, request, pod, 0.04, "cart saved")
    return 200


def charge(mesh: Mesh, request: Request, pod: Pod, deadline: float, index: int) -> Process[int]:
    status = yield from _with_database(
        mesh, request, pod, (SELECT_ACCOUNT, INSERT_CHARGE), CARD_GATEWAY_SECONDS, deadline, index
    )
    if failed(status):
        return status
    if mesh.rng.random() < 0.01:
        mesh.logs.write(
            pod, "warn", "card declined", order_id=f"ord-{request.order}",
            trace_id=request.trace_id,
        )  # fmt: skip
        return 402
    _sometimes(mesh, request, pod, 0.2, "charge authorised")
    return 201


def reserve(mesh: Mesh, request: Request, pod: Pod, deadline: float, index: int) -> Process[int]:
    status = yield from _with_database(mesh, request, pod, (UPDATE_STOCK,), 0.0, deadline, index)
    if failed(status):
        return status
    _sometimes(mesh, request, pod, 0.2, "stock reserved")
    return 409 if mesh.rng.random() < 0.004 else 200


def deliver(mesh: Mesh, request: Request, pod: Pod, deadline: float, index: int) -> Process[int]:
    # The mail gateway is outside the shop; it takes what it takes.
    yield min(deadline, mesh.loop.now + 0.02 * mesh.noise())
    _sometimes(mesh, request, pod, 0.2, "notification sent")
    return 202


def place_order(
    mesh: Mesh, request: Request, pod: Pod, deadline: float, index: int
) -> Process[int]:
    request.order = 500_000 + mesh.rng.getrandbits(16)
    status = yield from mesh.call(request, pod, READ_CART, deadline, index)
    if failed(status):
        return _dependency_failed(mesh, request, pod, "cart", status, index)
    status = yield from mesh.call(request, pod, RESERVE, deadline, index)
    if failed(status) and status != TIMEOUT:
        # Reserving is idempotent by order: one retry.
        yield min(deadline, mesh.loop.now + RETRY_AFTER_SECONDS)
        status = yield from mesh.call(request, pod, RESERVE, deadline, index)
    if failed(status):
        return _dependency_failed(mesh, request, pod, "inventory", status, index)
    if status == 409:
        return 409
    status = yield from mesh.call(request, pod, CHARGE, deadline, index)
    if failed(status):
        return _dependency_failed(mesh, request, pod, "payment-processing", status, index)
    if status == 402:
        return 402
    status = yield from mesh.query(request, pod, "queue", PUBLISH, deadline, index)
    if failed(status):
        return _dependency_failed(mesh, request, pod, "queue", status, index)
    mesh.loop.spawn(_deliver_later(mesh, request, index))
    if mesh.rng.random() < 0.2:
        mesh.logs.write(
            pod, "info", "order placed", order_id=f"ord-{request.order}", user_id=request.user,
            trace_id=request.trace_id,
        )  # fmt: skip
    return 201


def _deliver_later(mesh: Mesh, request: Request, index: int) -> Process[None]:
    """The queue hands a message to notifications, with retries; unsent ones are its depth."""
    broker = mesh.workloads["queue"].pods[0]
    broker.pending_messages += 1
    for _ in range(QUEUE_ATTEMPTS):
        yield mesh.loop.now + 0.01 * mesh.noise()
        status = yield from mesh.call(request, broker, DELIVER, mesh.loop.now + 10.0, index)
        if not failed(status):
            break
        yield mesh.loop.now + QUEUE_RETRY_SECONDS * mesh.noise()
    broker.pending_messages -= 1


def _page(operation: Operation, retry: bool = False) -> Handler:
    """A frontend handler that makes one call and answers with what came of it."""

    def handle(mesh: Mesh, request: Request, pod: Pod, deadline: float, index: int) -> Process[int]:
        status = yield from mesh.call(request, pod, operation, deadline, index)
        if retry and failed(status) and status != TIMEOUT:
            yield min(deadline, mesh.loop.now + RETRY_AFTER_SECONDS)
            status = yield from mesh.call(request, pod, operation, deadline, index)
        if failed(status):
            return _dependency_failed(mesh, request, pod, operation.service, status, index)
        if mesh.rng.random() < BACKGROUND_ERROR_PROBABILITY:
            mesh.logs.write(
                pod, "error", "response could not be written: broken pipe",
                user_id=request.user, trace_id=request.trace_id,
            )  # fmt: skip
            return 500
        if mesh.rng.random() < 0.15:
            elapsed_ms = round((mesh.loop.now - request.spans[index].began) * 1000)
            mesh.logs.write(
                pod, "info", "request", status=status, duration_ms=elapsed_ms,
                peer=operation.service, user_id=request.user, trace_id=request.trace_id,
            )  # fmt: skip
        return status

    return handle


READ_CART = Operation("cart", "GET", "/v1/cart", 0.003, 1.0, change_cart)
CHANGE_CART = Operation("cart", "POST", "/v1/items", 0.004, 2.0, change_cart)
PRODUCTS = Operation("catalogue", "GET", "/v1/products", 0.006, 3.0, list_products)
RESERVE = Operation("inventory", "POST", "/v1/reservations", 0.007, 3.0, reserve)
CHARGE = Operation("payment-processing", "POST", "/v1/charges", 0.012, 6.0, charge)
DELIVER = Operation("notifications", "POST", "/v1/deliveries", 0.005, 10.0, deliver)
ORDER = Operation("checkout", "POST", "/api/v1/orders", 0.009, 9.0, place_order)

# What visitors ask of the frontend, with the share of each.
ROOTS: tuple[tuple[float, Operation], ...] = (
    (0.48, Operation("frontend", "GET", "/products", 0.006, 10.0, _page(PRODUCTS, retry=True))),
    (0.18, Operation("frontend", "POST", "/cart", 0.005, 10.0, _page(CHANGE_CART))),
    (0.34, Operation("frontend", "POST", "/checkout", 0.007, 10.0, _page(ORDER))),
)

from lab.processes import EventLoop, Process, Slots


def test_slots_serve_waiters_first_come_first_served() -> None:
    loop = EventLoop(0.0)
    slots = Slots(loop, 1)
    served: list[tuple[str, float]] = []

    def customer(name: str) -> Process[None]:
        assert (yield from slots.acquire(100.0))
        served.append((name, loop.now))
        yield loop.now + 5.0
        slots.release()

    for name in ("first", "second", "third"):
        loop.spawn(customer(name))
    loop.run_until(20.0)

    assert served == [("first", 0.0), ("second", 5.0), ("third", 10.0)]
    assert (slots.in_use, slots.pending, loop.now) == (0, 0, 20.0)


def test_slots_let_a_waiter_go_at_its_deadline() -> None:
    loop = EventLoop(0.0)
    slots = Slots(loop, 1)
    slots.occupy(1)
    answers: list[tuple[bool, float]] = []

    def customer() -> Process[None]:
        granted = yield from slots.acquire(3.0)
        answers.append((granted, loop.now))

    loop.spawn(customer())
    loop.run_until(10.0)
    slots.release()

    assert answers == [(False, 3.0)]
    assert (slots.in_use, slots.pending) == (0, 0)


def test_slots_grant_waiters_when_they_grow() -> None:
    loop = EventLoop(0.0)
    slots = Slots(loop, 1)
    slots.occupy(1)
    granted: list[float] = []

    def customer() -> Process[None]:
        assert (yield from slots.acquire(100.0))
        granted.append(loop.now)

    loop.spawn(customer())
    loop.run_until(4.0)
    slots.resize(2)
    loop.run_until(5.0)

    assert granted == [4.0]

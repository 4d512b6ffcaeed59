"""Many wishes, few wake-ups."""

from __future__ import annotations

import threading

from incidents.intake.wakeups import Waker


def test_wishes_made_while_one_is_published_become_one_more() -> None:
    published: list[int] = []
    begun, go_on, last = threading.Event(), threading.Event(), threading.Event()

    def publish() -> None:
        published.append(1)
        if len(published) == 1:
            begun.set()
            go_on.wait(30)
        else:
            last.set()

    waker = Waker(publish)
    waker.wake()
    assert begun.wait(30)
    for _ in range(1000):
        waker.wake()
    go_on.set()

    assert last.wait(30)
    assert len(published) == 2

"""Work that several threads do at once, each with its own database connection."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

from incidents import broadcast

PATIENCE_SECONDS = 120


def in_threads(work: Callable[[int], Any], count: int = 8) -> None:
    """`work(0)` to `work(count - 1)` at once; raises what one of them raised.

    Returns when the pages have been told too, which is another thread's work.
    """
    raised: list[BaseException] = []

    def run(n: int) -> None:
        try:
            work(n)
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broadcast.drain(PATIENCE_SECONDS)
    if raised:
        raise raised[0]

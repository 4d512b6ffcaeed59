"""What a web process does once, when all it serves with is loaded."""

import gc

from django.urls import get_resolver


def settle() -> None:
    """Take what lives as long as the process out of the garbage collector's sight.

    A full collection walks every object there is, in the middle of whichever request it meets;
    nearly all of them are the loaded program.
    """
    _ = get_resolver().url_patterns  # Django would load them in the first request
    gc.collect()
    gc.freeze()

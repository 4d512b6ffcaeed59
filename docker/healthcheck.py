"""Whether this address answers 200: exit 0, or 1 and a line that says what it did instead.

healthcheck.py http://127.0.0.1:8000/health
"""

from __future__ import annotations

import sys
import urllib.request

ANSWER_SECONDS = 4.0


def problem(url: str) -> str:
    """Why the address is not well, or nothing. Redirects are followed, proxies are not used."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=ANSWER_SECONDS):
            return ""
    except (OSError, ValueError) as error:  # HTTPError and URLError are OSErrors
        return f"{url}: {error}"


if __name__ == "__main__":
    sys.exit(problem(sys.argv[1]) or 0)

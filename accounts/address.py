"""The address a request came from."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"


def client_address(request: HttpRequest) -> str:
    """The IP address of the client, or "unknown" (a unix socket, a broken proxy).

    X-Forwarded-For counts only behind TRUSTED_PROXIES proxies of ours: each appends the
    address it saw, so the client is that many entries from the right; what stands further
    left is the client's own claim. A header shorter than that did not pass through them all.
    """
    peer: str = request.META.get("REMOTE_ADDR") or UNKNOWN
    depth: int = settings.TRUSTED_PROXIES
    if depth:
        entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        peer = entries[-depth].strip() if len(entries) >= depth else peer
    try:
        return str(ipaddress.ip_address(peer))
    except ValueError:
        return UNKNOWN


def network(address: str) -> str:
    """What one client can easily move within: an IPv4 address, an IPv6 /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)

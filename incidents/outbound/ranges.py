"""Which addresses may be connected to where people say what is asked; no I/O.

Everything but what is reachable from the whole internet is refused: private, loopback, link-local
(the metadata service of a cloud among them), multicast and reserved ranges, and addresses of IPv6
that stand for one of those. An installation allows networks of its own by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_NAT64 = IPv6Network("64:ff9b::/96")


def networks(texts: Iterable[str]) -> list[Network]:
    """CIDR networks and single addresses. Raises ValueError naming the text that is neither."""
    return [ip_network(text, strict=False) for text in texts]


def is_allowed(address: str, allowed: Sequence[Network]) -> bool:
    """Whether the address is public, or in one of these networks. Raises ValueError for none."""
    found = _meant(ip_address(address.partition("%")[0]))
    if any(found in network for network in allowed if network.version == found.version):
        return True
    return found.is_global and not found.is_multicast


def _meant(address: Address) -> Address:
    """The IPv4 address that one of IPv6 leads to, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address

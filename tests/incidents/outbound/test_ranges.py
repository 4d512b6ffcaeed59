"""Which addresses may be connected to."""

from __future__ import annotations

import pytest

from incidents.outbound.ranges import is_allowed, networks


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),  # between providers and their customers
        ("169.254.169.254", False),  # the metadata service of a cloud
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),  # NAT64 of 169.254.169.254
        ("2002:7f00:1::", False),  # 6to4 of 127.0.0.1
    ],
)
def test_is_allowed_takes_public_addresses_alone(address: str, allowed: bool) -> None:
    assert is_allowed(address, []) is allowed


def test_is_allowed_takes_what_lies_in_a_named_network() -> None:
    named = networks(["10.20.0.0/16", "::1"])

    found = [is_allowed(a, named) for a in ("10.20.3.4", "10.21.0.1", "::1", "::ffff:10.20.0.1")]

    assert found == [True, False, True, True]


def test_networks_names_the_text_that_is_none() -> None:
    with pytest.raises(ValueError, match="'intranet' does not appear"):
        networks(["10.0.0.0/8", "intranet"])

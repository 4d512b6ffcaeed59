"""Sources behind TLS that ask for a client certificate, over a real handshake."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from correlation.gather import PLANS, gather
from correlation.sources import Scope, Source
from tests.correlation.conftest import Backend

SCOPE = Scope("checkout", 1_795_305_900.0, 1_795_305_960.0, frozenset({"checkout", "payments"}))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """(certificate file, key file) of one that signs itself, for 127.0.0.1, both ways."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "telemetry")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files = tmp_path / "both.crt", tmp_path / "both.key"
    files[0].write_bytes(made.public_bytes(pem))
    files[1].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(files[0]), str(files[1])


@pytest.fixture
def guarded(certificate: tuple[str, str]) -> Iterator[Backend]:
    """Answers 404 to whoever shows the certificate, and shakes nobody else's hand."""
    server = Backend()
    server.respond = lambda path, params: (404, "text/plain", b"nothing here\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.load_verify_locations(certificate[0])
    context.verify_mode = ssl.CERT_REQUIRED
    server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
    server.url = server.url.replace("http://", "https://")
    yield server
    server.close()


@pytest.mark.parametrize("kind", sorted(PLANS))
def test_client_certificate_is_shown_to_each_kind(
    guarded: Backend, certificate: tuple[str, str], kind: str
) -> None:
    source = Source(kind, kind, guarded.url, verify=certificate[0], client_certificate=certificate)

    _, statuses = gather(SCOPE, [source])

    assert (statuses[0].kind, statuses[0].reason) == (kind, "404")
    assert guarded.asked


@pytest.mark.parametrize("kind", sorted(PLANS))
def test_server_that_wants_a_certificate_is_named_by_tls(
    guarded: Backend, certificate: tuple[str, str], kind: str
) -> None:
    source = Source(kind, kind, guarded.url, verify=certificate[0])

    _, statuses = gather(SCOPE, [source])

    assert (statuses[0].status, statuses[0].reason) == ("unavailable", "tls")
    assert not guarded.asked

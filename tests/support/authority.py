"""An authority that signs certificates for tests, by itself or through one between."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """A root, and an intermediate that it has signed."""

    def __init__(self) -> None:
        """Make both."""
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self.root = _sign("Test Root", self._root_key, "Test Root", self._root_key, is_authority=True)
        self._between_key = ec.generate_private_key(ec.SECP256R1())
        self.between = _sign(
            "Test Between", self._between_key, "Test Root", self._root_key, is_authority=True
        )

    def issue(self, name: str, folder: Path, *, days: float = 90, chain: bool = True) -> tuple[Path, Path]:
        """Write a certificate for a name, signed by the one between, and its key; `chain` adds that one."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _sign(name, key, "Test Between", self._between_key, days=days)
        return _write(folder, [made, self.between] if chain else [made], key)

    def write_root(self, folder: Path) -> Path:
        """Write the root, for a client that is to trust it."""
        file = folder / "root.pem"
        file.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))
        return file


def self_signed(name: str, folder: Path, *, days: float = 90) -> tuple[Path, Path]:
    """Write a certificate that nobody else has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _write(folder, [_sign(name, key, name, key, days=days)], key)


def _write(folder: Path, chain: list[x509.Certificate], key: ec.EllipticCurvePrivateKey) -> tuple[Path, Path]:
    file, key_file = folder / "fullchain.pem", folder / "privkey.pem"
    file.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return file, key_file


def _sign(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    days: float = 90,
    is_authority: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

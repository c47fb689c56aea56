"""`colloque doctor` and certificates: each as it comes from an authority, or does not."""

import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.authority import Authority, self_signed
from tests.support.doctor_run import Examined, doctor, settings
from tests.support.server import Ports, command, environment

pytestmark = pytest.mark.timeout(120)  # several programs start in turn, each slow beside a busy neighbour

NAME = "localhost"
_START_WITHIN = 20.0  # seconds


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def examined(folder: Path, files: tuple[Path, Path], *, trusting: Path | None = None) -> Examined:
    env = {} if trusting is None else {"SSL_CERT_FILE": str(trusting)}
    return doctor(secured(folder, Ports.free(), files), env=env)


def secured(folder: Path, ports: Ports, files: tuple[Path, Path]) -> Path:
    certificate, key = files
    server = (
        f'public_url = "https://{NAME}:{ports.http}"\ntls_certificate = "{certificate}"\ntls_key = "{key}"'
    )
    return settings(folder, ports, server=server)


def test_a_certificate_with_its_chain_is_well(tmp_path: Path, authority: Authority) -> None:
    found = examined(tmp_path, authority.issue(NAME, tmp_path), trusting=authority.write_root(tmp_path))
    assert found.code == 0, str(found)
    assert any(f"fullchain.pem is for {NAME} and holds until" in line for line in found.lines), str(found)


def test_a_certificate_without_its_intermediate_is_warned_of(tmp_path: Path, authority: Authority) -> None:
    files = authority.issue(NAME, tmp_path, chain=False)
    found = examined(tmp_path, files, trusting=authority.write_root(tmp_path))
    assert found.code == 0, str(found)
    assert "signed by Test Between, which is neither in the file nor known" in found.line(
        "certificate.no_issuer"
    )


def test_a_chain_that_is_not_in_order_is_warned_of(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.issue(NAME, tmp_path)
    root = authority.write_root(tmp_path)
    # The root between the server's certificate and the one that signed it.
    first, _, rest = certificate.read_text().partition("-----END CERTIFICATE-----\n")
    certificate.write_text(f"{first}-----END CERTIFICATE-----\n{root.read_text()}{rest}")
    found = examined(tmp_path, (certificate, key), trusting=root)
    assert "are not in order" in found.line("certificate.out_of_order")


def test_an_expired_certificate_is_a_failure_with_its_date(tmp_path: Path, authority: Authority) -> None:
    files = authority.issue(NAME, tmp_path, days=-3)
    found = examined(tmp_path, files, trusting=authority.write_root(tmp_path))
    expired = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 3 * 86_400))
    assert (found.code, found.failures) == (1, ["certificate.expired"])
    assert f"expired on {expired}" in found.line("certificate.expired")


def test_a_certificate_for_another_name_is_a_failure_with_both(tmp_path: Path, authority: Authority) -> None:
    files = authority.issue("other.example", tmp_path)
    found = examined(tmp_path, files, trusting=authority.write_root(tmp_path))
    assert (found.code, found.failures) == (1, ["certificate.wrong_name"])
    assert f"is not for {NAME}, but for: other.example" in found.line("certificate.wrong_name")


def test_a_self_signed_certificate_near_its_end_has_two_warnings(tmp_path: Path) -> None:
    found = examined(tmp_path, self_signed(NAME, tmp_path, days=5.5))
    assert found.code == 0, str(found)
    assert "is signed by itself" in found.line("certificate.self_signed")
    assert "5 more days" in found.line("certificate.soon")


def test_a_key_of_another_certificate_is_a_failure(tmp_path: Path, authority: Authority) -> None:
    other = tmp_path / "other"
    other.mkdir()
    certificate, _ = authority.issue(NAME, tmp_path)
    _, key = authority.issue(NAME, other)
    found = examined(tmp_path, (certificate, key))
    assert found.code == 1
    assert "KEY_VALUES_MISMATCH" in found.line("certificate.unusable")


def test_a_certificate_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    found = examined(tmp_path, (tmp_path / "none.pem", tmp_path / "none.key"))
    assert found.code == 1
    assert "none.pem: No such file or directory" in found.line("certificate.unusable")


def test_a_running_server_that_shows_the_old_certificate_is_told_to_be_reloaded(
    tmp_path: Path, authority: Authority
) -> None:
    ports = Ports.free()
    files = authority.issue(NAME, tmp_path)
    file = secured(tmp_path, ports, files)
    trusting = {"SSL_CERT_FILE": str(authority.write_root(tmp_path))}
    renewed = tmp_path / "renewed"
    renewed.mkdir()
    with _serving(file, ports) as process:
        for old, new in zip(files, authority.issue(NAME, renewed), strict=True):
            shutil.copy(new, old)
        found = doctor(file, env=trusting)
        assert "still shows another certificate" in found.line("certificate.old_shown")
        assert any(f"https://{NAME}:{ports.http} leads to Colloque" in line for line in found.lines), str(
            found
        )
        process.send_signal(signal.SIGHUP)
        assert "certificate.old_shown" not in str(doctor(file, env=trusting))


def test_a_server_that_shows_a_certificate_for_another_name_is_a_failure(
    tmp_path: Path, authority: Authority
) -> None:
    ports = Ports.free()
    file = secured(tmp_path, ports, authority.issue("other.example", tmp_path))
    with _serving(file, ports):
        found = doctor(file, env={"SSL_CERT_FILE": str(authority.write_root(tmp_path))})
    assert found.failures == ["certificate.wrong_name", "public.wrong_certificate"], str(found)
    assert "Hostname mismatch" in found.line("public.wrong_certificate")


@contextmanager
def _serving(file: Path, ports: Ports) -> Iterator[subprocess.Popen[bytes]]:
    with (file.parent / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command(), "serve", "--config", str(file)], stdout=log, stderr=log, env=environment()
        )
    try:
        until = time.monotonic() + _START_WITHIN
        while not _is_ready(ports):
            assert process.poll() is None, (file.parent / "server.log").read_text()
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _is_ready(ports: Ports) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{ports.admin}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False

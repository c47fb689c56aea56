"""A server that cannot start says in one line what is wrong and where, and ends with a fitting code."""

import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.server import Ports, Server, command, environment

FAILED, WRONG_USE = 1, 2


def test_a_taken_http_port_is_named(tmp_path: Path) -> None:
    ports = Ports.free()
    with socket.create_server(("127.0.0.1", ports.http)):
        ended = _demo(tmp_path, "--port", ports.http, "--udp-port", ports.udp, "--admin-port", ports.admin)
    _assert_one_line(ended, FAILED, str(ports.http))


def test_a_taken_media_port_is_named(tmp_path: Path) -> None:
    ports = Ports.free()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", ports.udp))
        ended = _demo(tmp_path, "--port", ports.http, "--udp-port", ports.udp, "--admin-port", ports.admin)
    _assert_one_line(ended, FAILED, str(ports.udp))


def test_a_media_address_that_this_host_does_not_have_is_named(tmp_path: Path) -> None:
    ports = Ports.free()
    (tmp_path / "colloque.toml").write_text(
        f"""
        [server]
        listen = "127.0.0.1:{ports.http}"
        admin_listen = "127.0.0.1:{ports.admin}"
        [media]
        udp_port = {ports.udp}
        addresses = [{{ bind = "192.0.2.77", announce = "192.0.2.77" }}]
        [[api_keys]]
        key = "portal"
        secret = "a-secret-that-only-the-tests-know-0123456789"
        """
    )
    ended = _run(tmp_path, "serve")
    _assert_one_line(ended, FAILED, "media.addresses: cannot bind UDP 192.0.2.77")


def test_a_key_that_cannot_be_used_is_named_and_not_kept(tmp_path: Path) -> None:
    ended = _demo(tmp_path, "--key", "a b")
    assert ended.returncode == WRONG_USE
    assert "--key" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_second_server_on_the_same_ports_is_refused(server: Server, tmp_path: Path) -> None:
    ports = server.ports
    ended = _demo(tmp_path, "--port", ports.http, "--udp-port", ports.udp, "--admin-port", ports.admin)
    assert ended.returncode == FAILED
    assert len(ended.stderr.strip().splitlines()) == 1


def test_an_unreadable_certificate_is_named(tmp_path: Path) -> None:
    config = tmp_path / "colloque.toml"
    config.write_text('[server]\ntls_certificate = "missing.pem"\ntls_key = "missing.key"\n')
    ended = _run(tmp_path, "serve", "--config", str(config))
    _assert_one_line(ended, None, "missing.pem")


def test_an_unknown_setting_is_named_with_its_path(tmp_path: Path) -> None:
    config = tmp_path / "colloque.toml"
    config.write_text("[media]\nudp_prot = 10000\n")
    ended = _run(tmp_path, "serve", "--config", str(config))
    _assert_one_line(ended, None, "media.udp_prot")


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    ended = _run(tmp_path, "serve", "--config", str(tmp_path / "absent.toml"))
    _assert_one_line(ended, None, "absent.toml")


def test_an_unknown_command_is_wrong_use(tmp_path: Path) -> None:
    assert _run(tmp_path, "dance").returncode == WRONG_USE


def test_a_server_has_its_memory_in_large_pages_where_the_kernel_has_them(server: Server) -> None:
    process = Path("/proc") / str(server.pid)
    assert b"glibc.malloc.hugetlb=1" in (process / "environ").read_bytes()
    assert (process / "comm").read_text() == "colloque\n"
    if "[never]" in Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text():
        pytest.skip("this kernel gives none")
    (line,) = (
        line for line in (process / "smaps_rollup").read_text().splitlines() if "AnonHugePages" in line
    )
    assert int(line.split()[1]) > 0


def _demo(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return _run(folder, "demo", "--data-dir", str(folder), *map(str, arguments))


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command(), *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )


def _assert_one_line(ended: subprocess.CompletedProcess[str], code: int | None, word: str) -> None:
    said = ended.stderr.strip().splitlines()
    assert ended.returncode in ((FAILED, WRONG_USE) if code is None else (code,)), ended.stderr
    assert len(said) == 1, ended.stderr
    assert word in said[0]
    assert "Traceback" not in ended.stderr


pytestmark = pytest.mark.integration

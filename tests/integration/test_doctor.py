"""`colloque doctor` on real hosts in good and bad states: the line that a person reads, and the exit code."""

import http.server
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.doctor_run import SECRET, doctor, document, may_isolate, settings
from tests.support.server import Ports, Server, command, environment

pytestmark = pytest.mark.timeout(120)  # several programs start in turn, each slow beside a busy neighbour

isolated = pytest.mark.skipif(not may_isolate(), reason="namespaces and capabilities need root")


def test_a_host_that_is_ready_has_no_failure_and_stays_as_it_was(tmp_path: Path) -> None:
    file = settings(tmp_path, Ports.free())
    before = sorted(tmp_path.rglob("*"))
    examined = doctor(file)
    assert (examined.code, examined.failures) == (0, []), str(examined)
    assert f"ok    The settings in {file} can be used." in examined.lines
    assert any("is empty: the server makes its tables" in line for line in examined.lines)
    assert examined.errors == ""  # no progress in a pipe
    assert "\x1b" not in "\n".join(examined.lines)
    assert sorted(tmp_path.rglob("*")) == before


def test_ports_that_other_programs_hold_are_named_with_the_program(tmp_path: Path) -> None:
    ports = Ports.free()
    with (
        socket.create_server(("127.0.0.1", ports.http)),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as media,
    ):
        media.bind(("127.0.0.1", ports.udp))
        examined = doctor(settings(tmp_path, ports))
    assert (examined.code, examined.failures) == (1, ["port.taken", "port.taken"])
    told = "\n".join(examined.lines)
    assert f"fail  {ports.http}/TCP on 127.0.0.1 is held by another program (" in told
    assert f", pid {os.getpid()}). Stop that program, or change server.listen." in told
    assert f"fail  {ports.udp}/UDP on 127.0.0.1 is held by another program (" in told
    assert "or change media.udp_port." in told


def test_the_running_server_is_recognised_on_all_of_its_ports(own_server: Server) -> None:
    ports = own_server.ports
    store = f'[store]\nurl = "sqlite:///{own_server.data_dir}/colloque.sqlite3"'
    examined = doctor(settings(own_server.data_dir, ports, more=store))
    assert (examined.code, examined.failures) == (0, []), str(examined)
    for place in (f"{ports.http}/TCP", f"{ports.admin}/TCP", f"{ports.udp}/UDP"):
        assert any(f"{place} on 127.0.0.1 is held by the running Colloque" in line for line in examined.lines)
    assert f"ok    {own_server.url} leads to Colloque." in examined.lines
    assert any("its tables are those of this version" in line for line in examined.lines)


def test_another_page_at_the_public_address_is_a_failure(own_server: Server, tmp_path: Path) -> None:
    with _website() as port:
        file = settings(tmp_path, own_server.ports, server=f'public_url = "http://127.0.0.1:{port}"')
        examined = doctor(file)
    assert examined.code == 1
    assert "is answered by something else than Colloque" in examined.line("public.stranger")


def test_every_wrong_setting_is_a_line_and_the_rest_is_examined(tmp_path: Path) -> None:
    file = settings(tmp_path, Ports.free(), media="udp_prot = 1\nworkers = 99")
    examined = doctor(file)
    checked = subprocess.run(
        [*command(), "config", "check", "--config", str(file)],
        capture_output=True, text=True, env=environment(), check=False,
    )  # fmt: skip
    wrong = [line for line in examined.lines if line.endswith("[settings.wrong]")]
    assert len(checked.stderr.splitlines()) == len(wrong) == 2
    for line, said in zip(checked.stderr.splitlines(), wrong, strict=True):
        assert said.startswith(f"fail  {line}. Correct this setting")
    assert examined.code == 1
    assert "not examined: media" in examined.line("settings.left_out")
    told = "\n".join(examined.lines)
    assert "(server.listen)" in told
    assert "/UDP" not in told


def test_settings_that_cannot_be_read_end_with_2(tmp_path: Path) -> None:
    file = tmp_path / "colloque.toml"
    file.write_text("[server\n")
    examined = doctor(file)
    assert examined.code == 2
    assert examined.failures == ["settings.wrong"]


def test_a_language_that_there_is_not_ends_with_2(tmp_path: Path) -> None:
    assert doctor(settings(tmp_path, Ports.free()), "--lang", "de").code == 2


def test_json_is_for_programs_and_in_the_language_that_is_asked_for(tmp_path: Path) -> None:
    file = settings(tmp_path, Ports.free())
    told = document(file, "--lang", "fr")
    assert set(told) == {"version", "verdict", "findings"}
    assert told["verdict"] in {"ok", "warn"}
    (free,) = [
        one for one in told["findings"] if one["code"] == "port.free" and "admin_listen" in one["what"]
    ]
    assert free["level"] == "ok"
    assert "est libre" in free["what"]


def test_the_language_is_that_of_the_terminal(tmp_path: Path) -> None:
    file = settings(tmp_path, Ports.free())
    assert "est libre : le serveur peut le prendre" in "\n".join(
        doctor(file, env={"LANG": "fr_FR.UTF-8"}).lines
    )


def test_other_commands_do_not_wait_for_the_doctor(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import colloque.cli, sys; print(*sys.modules)"],
        capture_output=True, text=True, env=environment(), cwd=tmp_path, check=True,
    ).stdout.split()  # fmt: skip
    assert "colloque.doctor_command" in said
    assert not [name for name in said if name.startswith("colloque.doctor.")]


def test_media_on_loopback_under_a_public_name_is_a_failure(tmp_path: Path) -> None:
    file = settings(tmp_path, Ports.free(), server='public_url = "https://192.0.2.80"')
    examined = doctor(file)
    assert examined.code == 1
    assert "Media is announced at 127.0.0.1, which only this machine reaches" in examined.line(
        "address.loopback"
    )


def test_a_name_that_does_not_exist_and_a_webhooks_target_are_told(tmp_path: Path) -> None:
    file = settings(
        tmp_path,
        Ports.free(),
        server='public_url = "https://visio.invalid"',
        more='[webhooks]\nallowed_targets = ["localhost", "*.example"]',
    )
    # Where no DNS server answers at all, the name is not known to be missing.
    examined = doctor(file)
    assert any("visio.invalid" in line and "[name." in line for line in examined.lines), str(examined)
    assert "localhost leads to" in examined.line("webhook.private")
    assert examined.code == 1


def test_tables_of_a_newer_version_are_a_failure_before_the_server_is_started(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "colloque.sqlite3") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    connection.close()
    examined = doctor(settings(tmp_path, Ports.free()))
    assert examined.code == 1
    assert "are of a newer version (9999)" in examined.line("database.newer")


def test_a_file_that_is_no_database_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "colloque.sqlite3").write_text("a letter to nobody" * 100)
    examined = doctor(settings(tmp_path, Ports.free()))
    assert examined.code == 1
    assert "file is not a database" in examined.line("database.unreachable")


@isolated
def test_a_read_only_disk_is_a_failure(tmp_path: Path) -> None:
    file = settings(tmp_path, Ports.free())
    script = f'mount --bind "{tmp_path}" "{tmp_path}" && mount -o remount,ro,bind "{tmp_path}" && exec "$@"'
    examined = doctor(file, before=("unshare", "--mount", "sh", "-c", script, "sh"))
    assert examined.code == 1
    assert f"may not write to {tmp_path}" in examined.line("disk.read_only")


@isolated
def test_a_database_in_memory_is_a_warning(tmp_path: Path) -> None:
    file = settings(tmp_path, Ports.free(), more='[store]\nurl = "sqlite:////mnt/colloque.sqlite3"')
    script = 'mount -t tmpfs tmpfs /mnt && exec "$@"'
    examined = doctor(file, before=("unshare", "--mount", "sh", "-c", script, "sh"))
    assert examined.code == 0, str(examined)
    assert "/mnt is in memory (tmpfs)" in examined.line("disk.volatile")


@isolated
def test_a_host_without_ipv6_is_told_apart_from_a_wrong_address(tmp_path: Path) -> None:
    both = (
        'addresses = [{ bind = "127.0.0.1", announce = "127.0.0.1" }, { bind = "::1", announce = "::1" },'
        ' { bind = "192.0.2.77", announce = "192.0.2.77" }]'
    )
    file = settings(tmp_path, Ports.free(), media=both)
    script = 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up && exec "$@"'
    examined = doctor(file, before=("unshare", "--net", "sh", "-c", script, "sh"))
    assert examined.code == 1
    assert "this host does not have the IPv6 address ::1" in examined.line("port.no_ipv6")
    assert "this host does not have the address 192.0.2.77" in examined.line("port.no_address")
    assert "media.addresses" in examined.line("port.no_ipv6")


@isolated
def test_a_low_port_without_the_right_is_told_with_the_line_for_systemd(tmp_path: Path) -> None:
    file = settings(tmp_path, Ports.free(), server='listen = "127.0.0.1:81"')
    examined = doctor(file, before=("setpriv", "--bounding-set=-net_bind_service", "--"))
    assert examined.code == 1
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in examined.line("port.no_right")


@isolated
def test_small_buffers_are_told_with_the_line_for_sysctl(tmp_path: Path) -> None:
    file = settings(tmp_path, Ports.free())
    script = 'ip link set lo up; exec setpriv --bounding-set=-net_admin -- "$@"'
    examined = doctor(file, before=("unshare", "--net", "sh", "-c", script, "sh"))
    most = int(Path("/proc/sys/net/core/rmem_max").read_text())
    if most < 4 * 2**20:
        assert "net.core.rmem_max = 4194304" in str(examined)
    else:
        assert "ok    Sockets may have the 4 MiB of buffer that bursts need." in examined.lines


def test_few_open_files_are_told_with_the_line_for_systemd(tmp_path: Path) -> None:
    examined = doctor(
        settings(tmp_path, Ports.free()), before=("sh", "-c", 'ulimit -n 1024; exec "$@"', "sh")
    )
    assert examined.code == 0, str(examined)
    assert "LimitNOFILE=10256" in examined.line("limits.few_files")


@isolated
def test_a_resolver_that_hangs_costs_a_line_and_not_the_run(tmp_path: Path) -> None:
    file = settings(tmp_path, Ports.free(), server='public_url = "https://visio.hospital.example"')
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.53\noptions timeout:30 attempts:3\n")
    # Takes every question and answers none.
    deaf = tmp_path / "deaf.py"
    deaf.write_text(
        "import socket, time\n"
        "asked = socket.socket(type=socket.SOCK_DGRAM)\n"
        "asked.bind(('127.0.0.53', 53))\n"
        "time.sleep(40)\n"
    )
    script = (
        f'ip link set lo up; mount --bind "{resolver}" /etc/resolv.conf;'
        f' "{sys.executable}" "{deaf}" & deaf=$!; sleep 0.5; "$@"; code=$?; kill $deaf; exit $code'
    )
    examined = doctor(file, before=("unshare", "--net", "--mount", "sh", "-c", script, "sh"))
    assert "Looking up visio.hospital.example (server.public_url) gave no answer" in examined.line(
        "name.silent"
    )
    assert any("is free: the server can take it" in line for line in examined.lines)
    assert "Traceback" not in str(examined)


def test_a_secret_in_the_address_of_the_database_is_never_shown(tmp_path: Path) -> None:
    more = f'[store]\nurl = "postgresql://colloque:{SECRET}@127.0.0.1:1/rooms"'
    examined = doctor(settings(tmp_path, Ports.free(), more=more))  # looks for the secret itself
    assert examined.code == 1
    assert "The database 127.0.0.1:1/rooms cannot be used" in examined.line("database.unreachable")


@contextmanager
def _website() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Quiet) as other:
        serving = threading.Thread(target=other.serve_forever)
        serving.start()
        yield other.server_address[1]
        other.shutdown()
        serving.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        return

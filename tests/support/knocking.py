"""A program for a network namespace of its own: makes a second one, and knocks from there on ports of it.

Arguments: an address of the first, one of the second, and a command that loads rules. It writes as JSON which
ports of UDP and TCP are reached.
"""

import json
import select
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

UDP_PORTS = (10000, 3478, 19302, 10001, 53, 49152)
TCP_PORTS = (443, 3478, 19302, 22, 9090, 10000)

_KNOCK = """
import socket, sys
host, source, udp, tcp = sys.argv[1], sys.argv[2], *(map(int, ports.split(",")) for ports in sys.argv[3:])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
for port in udp:
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"knock", (host, port))
# As a call answers a relay.
with socket.socket(family, socket.SOCK_DGRAM) as call:
    call.bind((source, 10000))
    call.sendto(b"media", (host, 49152))
for port in tcp:
    with socket.socket(family, socket.SOCK_STREAM) as caller:
        caller.settimeout(0.5)
        try:
            caller.connect((host, port))
        except TimeoutError:
            continue
        print(port)
"""


def main(host: str, source: str, load: str) -> None:
    """Make the second network, load the rules, and knock."""
    neighbour = subprocess.Popen(["unshare", "--net", "sleep", "60"])
    try:
        _connect(neighbour.pid, host, source)
        subprocess.run(["sh", "-c", load], check=True)
        with ExitStack() as stack:
            udp = {port: stack.enter_context(_listening(host, port, "udp")) for port in UDP_PORTS}
            for port in TCP_PORTS:
                stack.enter_context(_listening(host, port, "tcp"))
            reached = _knock(neighbour.pid, host, source)
            print(json.dumps({"udp": {port: _read(one) for port, one in udp.items()}, "tcp": reached}))
    finally:
        neighbour.kill()
        neighbour.wait()


def _connect(pid: int, host: str, source: str) -> None:
    ours = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{pid}/ns/net").readlink() == ours:
        select.select([], [], [], 0.01)
    bits = "64" if ":" in host else "24"
    nodad = "nodad" if ":" in host else ""
    there = f"nsenter --net=/proc/{pid}/ns/net"
    script = f"""
        set -e
        ip link set lo up
        ip link add here type veth peer name there netns {pid}
        ip address add {host}/{bits} dev here {nodad}
        ip link set here up
        {there} ip address add {source}/{bits} dev there {nodad}
        {there} ip link set there up
    """
    subprocess.run(["sh", "-c", script], check=True)


def _listening(host: str, port: int, protocol: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
    made.bind((host, port))
    if protocol == "tcp":
        made.listen()
    made.setblocking(False)
    return made


def _knock(pid: int, host: str, source: str) -> list[int]:
    udp, tcp = (",".join(map(str, ports)) for ports in (UDP_PORTS, TCP_PORTS))
    ended = subprocess.run(
        ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-c", _KNOCK, host, source, udp, tcp],
        check=True,
        capture_output=True,
        text=True,
    )
    return [int(port) for port in ended.stdout.split()]


def _read(listener: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(listener.recv(64).decode())
        except BlockingIOError:
            return found


if __name__ == "__main__":
    main(*sys.argv[1:])

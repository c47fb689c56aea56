"""A drop-in for systemd, under which coturn reads the generated file and can do little else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turn_config.deployment import Deployment

FOLDER = "/etc/colloque"
"""Where docs/relays.md has the files put."""

_FILES_BESIDE_ALLOCATIONS = 4096
"""Listeners, threads, and connections that have no allocation yet."""

_TEXT = """\
# For coturn.service, beside the file that its package brings. Made by `colloque turn coturn --what systemd`.

[Unit]
Wants=network-online.target
After=network-online.target nftables.service
# Tried for as long as it takes: calls may depend on it.
StartLimitIntervalSec=0

[Service]
# systemd reads the secrets as root and shows them to this service alone. Without the file the service does
# not start; coturn by itself would, and without its settings it relays for everybody.
LoadCredential=turnserver.conf:{folder}/turnserver.conf
# No relay without the rules for what it may send; + : as root.
ExecStartPre=+/usr/sbin/nft -f {folder}/relay.nft
ExecStart=
ExecStart=/usr/bin/turnserver -c %d/turnserver.conf --pidfile=
# Also when it ends by itself, as it does after draining: then the new release or file is taken.
Restart=always
RestartSec=2
# An allocation has a socket for the relay and, by TCP, one for the client.
LimitNOFILE={files}
# A core file would hold the secrets.
LimitCORE=0

User=turnserver
Group=turnserver
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet={capabilities}
AmbientCapabilities={capabilities}
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
# coturn would like to leave groups that it is not in, and takes no for an answer.
SystemCallErrorNumber=EPERM
"""


def drop_in(deployment: Deployment) -> str:
    """Write `coturn.service.d/colloque.conf` for a host of this deployment."""
    turn = deployment.turn
    below_1024 = any(0 < port < 1024 for port in (*turn.ports, turn.tls_port))
    return _TEXT.format(
        folder=FOLDER,
        files=2 * turn.allocations + _FILES_BESIDE_ALLOCATIONS,
        capabilities="CAP_NET_BIND_SERVICE" if below_1024 else "",
    )

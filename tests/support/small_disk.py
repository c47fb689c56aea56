"""A disk of a few megabytes that only one server sees, to be filled until there is no space left (ENOSPC).

It is a tmpfs in a mount namespace of the server's own, which needs no privileges where users may make
namespaces, and ends with the server.
"""

import errno
import subprocess
from pathlib import Path

from tests.support.server import Server

_BLOCK = 4096
_MOUNTED = 'mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"'


class SmallDisk:
    """The folder of a server, on a disk of its own. Start the server with `around`."""

    def __init__(self, server: Server, megabytes: int) -> None:
        """Nothing is mounted before the server starts."""
        self._server = server
        self.around = (
            *("unshare", "--user", "--map-root-user", "--mount"),
            *("sh", "-c", _MOUNTED, "sh", f"{megabytes}m", str(server.data_dir)),
        )

    @staticmethod
    def can_be() -> bool:
        """Whether this machine lets us mount one."""
        probe = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0

    def fill(self) -> None:
        """Write until the disk takes no further block."""
        try:
            with self._file.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(_BLOCK))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise

    def make_room(self) -> None:
        """Take away what filled it."""
        self._file.unlink()

    @property
    def _file(self) -> Path:
        # As the server sees its folder; its namespace has another disk there than ours.
        return Path(f"/proc/{self._server.pid}/root{self._server.data_dir}") / "filler"

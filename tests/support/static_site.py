"""Files of one folder over HTTP, as an application's own web server would give them."""

import functools
import http.server
import threading
from pathlib import Path
from typing import Self


class StaticSite:
    """A web server in a thread. Use as a context manager."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        """Serve this folder."""
        self._host = host
        self._http = http.server.ThreadingHTTPServer(
            (host, 0), functools.partial(_Quiet, directory=str(folder))
        )
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """The folder's index page."""
        return f"http://{self._host}:{self._http.server_port}/"

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop and free the port."""
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: pages are loaded hundreds of times."""

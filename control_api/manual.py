"""The description of the interface as it is served: the OpenAPI file, and the same as a page for people."""

from __future__ import annotations

import json
from threading import Lock
from typing import TYPE_CHECKING

from control_api.operations import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control_api.operations import Operation


class Manual:
    """Made when somebody first asks, since what makes it takes memory that most servers never need."""

    def __init__(self, operations: Sequence[Operation], *, version: str, server: str) -> None:
        """Describe these operations of a server at the URL `server`."""
        self._operations = operations
        self._version = version
        self._server = server
        self._making = Lock()
        self._made: tuple[Reply, Reply] | None = None

    def openapi(self) -> Reply:
        """Give the OpenAPI file; the first time takes 0.1 s, so ask from a thread."""
        return self._replies()[0]

    def page(self) -> Reply:
        """Give the same as a page for people, under the same condition."""
        return self._replies()[1]

    def _replies(self) -> tuple[Reply, Reply]:
        with self._making:  # whoever asks meanwhile waits for the same
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> tuple[Reply, Reply]:
        from control_api.openapi import describe
        from control_api.reference import as_page, content_policy

        described = describe(self._operations, version=self._version, server=self._server)
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": content_policy()}
        file = json.dumps(described, ensure_ascii=False)
        return Reply(200, file), Reply(200, as_page(described), headers)

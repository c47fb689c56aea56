"""Whose fault it is: the peer's (PeerError) or the caller's (UsageError)."""


class PeerError(Exception):
    """Something a peer sent cannot be used; the connection or the request ends, nothing else does.

    `code` is stable and machine-readable (`sdp-too-large`, `sdp-malformed`, ...); `text` tells a developer
    what to do and holds nothing personal.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class UsageError(Exception):
    """A call into the live side that its caller should not have made: a defect of ours."""

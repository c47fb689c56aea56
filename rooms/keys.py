"""API keys: who may speak for a tenant, and with which secret tokens are signed."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SCOPES = ("rooms:read", "rooms:write", "participants:admit", "events:read", "ops")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the management interface and the secret that signs tokens in its name."""

    key: str
    secret: str = field(repr=False)
    tenant: str = "default"
    scopes: frozenset[str] = frozenset(SCOPES)


class KeyRing:
    """The API keys in force; looking one up takes the same time whether it exists or not."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        """Take the keys in the order of the settings: the first of a tenant signs for it."""
        self._keys = {key.key: key for key in keys}
        # Unknown keys are checked against this, so that an answer does not tell which keys exist.
        self._nobody = ApiKey(key="", secret=secrets.token_hex(32), scopes=frozenset())

    def find(self, key: str) -> ApiKey | None:
        """Give the key by its name."""
        return self._keys.get(key)

    def find_or_nobody(self, key: str) -> ApiKey:
        """Give the key by its name, or one that signed nothing, for checks that must cost the same."""
        return self._keys.get(key, self._nobody)

    def signing_for(self, tenant: str) -> ApiKey | None:
        """Give the key that signs tokens for a tenant when the caller named none."""
        return next((key for key in self._keys.values() if key.tenant == tenant), None)

    def authenticate(self, key: str, secret: str) -> ApiKey | None:
        """Check a key and its secret in constant time."""
        found = self.find_or_nobody(key)
        same = hmac.compare_digest(found.secret.encode(), secret.encode(errors="surrogatepass"))
        return found if same and found is not self._nobody else None

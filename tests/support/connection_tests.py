"""Connection tests for tests that are about what can be done with one."""

import time

from rooms import ApiKey, KeyRing, Rooms
from tests.support.server import KEY, SECRET


async def address_secret(database: str) -> str:
    """Make a connection test in the database of a running server, and give the last part of its address."""
    rooms = await Rooms.open(database, keys=KeyRing([ApiKey(KEY, SECRET)]))
    try:
        return (await rooms.connection_tests.create("default", now=time.time()))[1]
    finally:
        await rooms.close()


async def probe_token(database: str) -> str:
    """Make a connection test in the database of a running server, and give a token for it."""
    rooms = await Rooms.open(database, keys=KeyRing([ApiKey(KEY, SECRET)]))
    try:
        _, secret = await rooms.connection_tests.create("default", now=time.time())
        return (await rooms.connection_tests.open(secret, now=time.time())).token
    finally:
        await rooms.close()

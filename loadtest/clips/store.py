"""Keeping clips in the user's cache: made on first use, read afterwards, made anew when a file is damaged.

A file has one line of JSON, which for each encoding lists its pictures as `[key frame, [bytes of each
payload]]`, and then the payloads.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from loadtest.errors import RunError
from loadtest.plan import VideoPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from loadtest.plan import RunPlan

FORMAT = 4
"""Rises when clips come out otherwise."""
MISSING = "the scenario sends a clip, which av has to encode: pip install 'colloque[faithful]'"
_BYTES_MAX = 256 << 20

Picture: TypeAlias = tuple[bool, list[bytes]]
"""Whether it is a key frame, and its payloads."""


def clip_of(
    plan: VideoPlan, *, folder: Path | None = None, tell: Callable[[float], None] = lambda _: None
) -> list[list[Picture]]:
    """Give the pictures of each encoding of a camera, lowest first; raise `RunError`.

    `tell` hears how much is done, 0 to 1, if the clip has to be made; it is kept in `folder`.
    """
    path = (folder or _cache()) / f"{_name(plan)}.clip"
    if (made := _read(path, len(plan.encodings))) is not None:
        return made
    if find_spec("av") is None:
        raise RunError(MISSING)
    # Here, because it needs av, which not everybody has.
    from loadtest.clips.film import film

    made = film(plan, tell)
    try:
        _write(path, made)
    except OSError as error:
        raise RunError(f"the clip cannot be kept in {path.parent}: {error.strerror}") from error
    return made


def camera_of(plan: RunPlan) -> VideoPlan | None:
    """Give the camera whose pictures are a clip, if there is one; a run has one kind."""
    later = (change.source for one in plan.people for change in one.later)
    for source in chain((one.video for one in plan.people), later):
        if isinstance(source, VideoPlan) and source.source == "clip":
            return source
    return None


def _name(plan: VideoPlan) -> str:
    said = json.dumps([FORMAT, asdict(plan)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "colloque" / "clips"


def _read(path: Path, encodings: int) -> list[list[Picture]] | None:
    """Read a file; nothing when there is none, or none that is whole."""
    try:
        if path.stat().st_size > _BYTES_MAX:
            return None
        head, _, body = path.read_bytes().partition(b"\n")
        listed = json.loads(head)
        clip: list[list[Picture]] = []
        at = 0
        for pictures in listed:
            clip.append([])
            for key, sizes in pictures:
                ends = [at := at + int(size) for size in sizes]
                starts = [end - size for end, size in zip(ends, sizes, strict=True)]
                clip[-1].append((bool(key), [body[a:b] for a, b in zip(starts, ends, strict=True)]))
    except (OSError, ValueError, TypeError):
        return None
    return clip if at == len(body) and len(clip) == encodings else None


def _write(path: Path, clip: list[list[Picture]]) -> None:
    """Write a file whole or not at all: another load test may want it at the same time."""
    head = [[[key, [len(one) for one in payloads]] for key, payloads in pictures] for pictures in clip]
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(json.dumps(head, separators=(",", ":")).encode() + b"\n")
        file.writelines(_payloads(clip))
    Path(file.name).replace(path)


def _payloads(clip: list[list[Picture]]) -> Iterable[bytes]:
    return (payload for pictures in clip for _, payloads in pictures for payload in payloads)

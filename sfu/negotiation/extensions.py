"""Which RTP header extensions are answered (RFC 8285)."""

from collections.abc import Mapping, Sequence

_MAX_ID = 255  # of the two-byte form; 15 is reserved in the one-byte form


def shared_ids(
    sections: Sequence[Sequence[tuple[int, str]]], supported: Sequence[str]
) -> tuple[tuple[str, int], ...]:
    """Return the id of each supported extension over all sections of a bundle.

    In a bundle an id means the same everywhere (RFC 8843, section 14). Of contradicting lines the first
    counts.
    """
    ids: dict[str, int] = {}
    for extensions in sections:
        for id_, uri in extensions:
            usable = 1 <= id_ <= _MAX_ID and id_ != 15
            if usable and uri in supported and uri not in ids and id_ not in ids.values():
                ids[uri] = id_
    return tuple(ids.items())


def answered(offered: Sequence[tuple[int, str]], shared: Mapping[str, int]) -> tuple[tuple[int, str], ...]:
    """Return the extensions of one section's answer, with the ids of the offer.

    Those that name simulcast streams are answered in every section, also where we send and never use them:
    libwebrtc leaves out of later sections what an answer has once left out, and then refuses its own
    simulcast.
    """
    return tuple((id_, uri) for id_, uri in offered if shared.get(uri) == id_)

"""Tells everybody at a board what they may know of its scene, once each time that it is another."""

from collections.abc import Mapping

from rooms import Scene
from signalling.present import Present
from signalling.waiting.board import people_word, queue, waiting_words
from signalling.waiting.messages import Word
from signalling.waiting.seats import Board, Seat


def tell(board: Board, scene: Scene, *, in_call: Mapping[str, Present]) -> None:
    """Send who waits what they wait for, and hosts who waits; forget words for those who wait no more.

    `in_call` has who is in the call, by identity.
    """
    waiting = {one.identity for one in queue(scene)}
    board.notes = {identity: note for identity, note in board.notes.items() if identity in waiting}
    words = waiting_words(scene, attended=bool(board.hosts), for_all=board.for_all, notes=board.notes)
    for identity, word in words.items():
        for seat in board.waiting.get(identity, ()):
            _tell(seat, word)
    if not board.hosts:
        return
    people = people_word(
        scene, names=_names(board), here=board.waiting.keys(), for_all=board.for_all, in_call=in_call
    )
    for seat in board.hosts:
        _tell(seat, people)


def _names(board: Board) -> dict[str, str]:
    newest = {identity: seats[-1].admission for identity, seats in board.waiting.items()}
    return {identity: admission.name for identity, admission in newest.items() if admission is not None}


def _tell(seat: Seat, word: Word) -> None:
    frame = word.frame(text=True)
    if seat.told != frame:
        seat.told = frame
        seat.outlet.send(word)

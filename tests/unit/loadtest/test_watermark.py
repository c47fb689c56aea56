"""The blocks on a faithful picture: what they say comes back, and what did not survive is noticed."""

import random

from loadtest.faithful.watermark import ACROSS, DOWN, Mark, read, strip

WIDTH, LINE = 640, 672


def coded(luma: bytes, noise: int) -> bytes:
    """Change each value by up to so much, as coding does."""
    chance = random.Random(1)
    return bytes(min(255, max(0, value + chance.randint(-noise, noise))) for value in luma)


def test_a_mark_comes_back_through_noise_and_padded_lines() -> None:
    mark = Mark.taken(65_537 + 41, 86_400.1234)
    assert mark.number == 42
    luma = strip(mark, width=WIDTH, line_bytes=LINE)
    assert len(luma) == LINE * DOWN * (WIDTH // ACROSS)
    assert read(coded(luma, 70), width=WIDTH, line_bytes=LINE) == mark


def test_the_age_of_a_picture_counts_over_the_wrap_of_its_clock() -> None:
    wraps = 2**32 / 10_000
    assert Mark.taken(1, wraps - 0.01).age_ms(wraps + 0.02) == 30.0


def test_a_block_that_changed_is_noticed() -> None:
    block = WIDTH // ACROSS
    luma = strip(Mark.taken(7, 12.5), width=WIDTH, line_bytes=LINE)
    for bit in range(64):
        row, column = divmod(bit, ACROSS)
        wrong = bytearray(luma)
        for y in range(row * block, (row + 1) * block):
            at = y * LINE + column * block
            wrong[at : at + block] = bytes(251 - value for value in wrong[at : at + block])
        assert read(bytes(wrong), width=WIDTH, line_bytes=LINE) is None, bit


def test_pictures_without_a_mark_or_without_room_for_one_have_none() -> None:
    chance = random.Random(2)
    assert read(chance.randbytes(LINE * 128), width=WIDTH, line_bytes=LINE) is None
    assert read(b"", width=WIDTH, line_bytes=LINE) is None
    assert read(bytes(1000), width=16, line_bytes=16) is None

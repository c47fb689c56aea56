"""Writes the answers to the stored offers anew; look at the difference before you commit it."""

from tests.unit.sfu.test_read import DATA, OFFERS, answer_to

if __name__ == "__main__":
    for path in OFFERS:
        (DATA / "answers" / path.name).write_bytes(answer_to(path).encode())

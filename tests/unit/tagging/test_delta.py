import io

import numpy as np
import pytest

from autotagging.tagging import delta
from autotagging.tagging.delta import describe, from_json, rebuild, to_json

AUDIO = np.random.default_rng(0).bytes(3_000_000)
COVER = np.random.default_rng(1).bytes(300_000)


def described(old: bytes, new: bytes) -> list:
    """Describe a file, check that the description gives it, and return it."""
    pieces = from_json(to_json(describe(io.BytesIO(old), io.BytesIO(new))))
    assert b"".join(rebuild(pieces, io.BytesIO(new))) == old
    return pieces


def lacking(pieces) -> int:
    """Bytes that the other file lacks."""
    return sum(len(piece) for piece in pieces if isinstance(piece, bytes))


def test_an_equal_file_is_one_piece():
    assert described(AUDIO, AUDIO) == [(0, 3_000_000)]


def test_of_a_tag_that_grew_only_the_old_tag_is_kept():
    pieces = described(b"old tag" + AUDIO, b"a tag that is longer" * 90 + AUDIO)
    assert pieces == [b"old tag", (1800, 3_000_000)]


def test_a_moved_cover_and_changed_bytes_at_both_ends_are_found():
    old = b"HEAD1111" + COVER + bytes(999) + AUDIO + b"TAIL9"
    new = b"HEAD2222" + b"genre" * 9 + COVER + bytes(954) + AUDIO + b"TAIL7"
    assert lacking(described(old, new)) < 30


def test_renumbered_pages_cost_a_few_bytes_each():
    pages = [AUDIO[start : start + 4000] for start in range(0, 400_000, 4000)]
    old, new = (
        b"".join(b"OggS" + bytes([number + shift]) * 8 + page for number, page in enumerate(pages))
        for shift in (0, 1)
    )
    assert lacking(described(old, new)) <= 100 * 12


def test_renumbered_pages_of_a_large_file_cost_a_few_bytes_each(monkeypatch):
    monkeypatch.setattr(delta, "_BLOCKS", 64)  # as in a file of hundreds of megabytes
    pages = [AUDIO[start : start + 4000] for start in range(0, 400_000, 4000)]
    old, new = (
        comments + b"".join(b"OggS" + bytes([n + shift]) * 8 + page for n, page in enumerate(pages))
        for shift, comments in ((0, b"old comments"), (1, bytes(5000)))
    )
    assert lacking(described(old, new)) <= 400_000 // 64 + 4000 + 100 * 8


@pytest.mark.parametrize("shift", range(0, 80, 7))
def test_pieces_of_random_changes_give_the_file(shift):
    rng = np.random.default_rng(shift)
    old = bytearray(AUDIO[:20_000])
    new = bytes(shift) + old[shift // 2 :]
    for place in rng.integers(0, len(old), 300):
        old[place : place + rng.integers(1, 90)] = rng.bytes(rng.integers(0, 90))
    described(bytes(old), new)
    described(new, bytes(old))


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"", AUDIO), (AUDIO[:5000], b""), (b"short", b"shorter"), (AUDIO[:9000], COVER)],
)
def test_files_with_nothing_in_common_are_kept_whole(old, new):
    assert lacking(described(old, new)) == len(old)


def test_a_file_that_ends_early_or_repeats_is_described():
    described(AUDIO, AUDIO[:-1])
    described(AUDIO[:-1], AUDIO)
    described(AUDIO[1:], AUDIO)
    described(bytes(2_000_000), b"x" + bytes(70_000))
    described(AUDIO[500_000:] + AUDIO, AUDIO)


@pytest.mark.parametrize(
    "content", [None, {}, [1], [[1]], [[-1, 2]], [[0, 0]], [[True, 2]], ["ä"], ["abc"], [[1, "2"]]]
)
def test_what_is_no_description_is_an_error(content):
    with pytest.raises(ValueError, match=r"piece|base64|ASCII"):
        from_json(content)


def test_a_piece_beyond_the_end_is_an_error():
    with pytest.raises(ValueError, match="too short"):
        list(rebuild([(0, 11)], io.BytesIO(bytes(10))))

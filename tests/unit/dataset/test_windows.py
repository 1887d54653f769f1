"""Windows of a clip's spectrogram."""

import numpy as np
import pytest

from autotagging.dataset.windows import Windows

CLIPS, BINS, FRAMES = 3, 4, 20
# Every number names its clip and its frame.
MEL = np.broadcast_to(
    100.0 * np.arange(CLIPS)[:, None, None] + np.arange(FRAMES), (CLIPS, BINS, FRAMES)
).astype(np.float16)
IDS = np.array([7, 3, 9])


def test_random_windows_are_pieces_of_their_clips():
    cut = Windows(6, per_clip=5).random(MEL, IDS, seed=0, epoch=1)
    assert cut.shape == (CLIPS, 5, BINS, 6)
    assert cut.dtype == np.float16
    starts = cut[:, :, 0, 0] - 100 * np.arange(CLIPS)[:, None]
    assert ((starts >= 0) & (starts <= FRAMES - 6)).all()
    np.testing.assert_array_equal(np.diff(cut, axis=-1), 1)


def test_places_depend_on_seed_epoch_and_clip_alone():
    def starts(ids, **drawn):
        mel = np.broadcast_to(np.arange(FRAMES, dtype=np.float16), (len(ids), BINS, FRAMES))
        return Windows(6, per_clip=8).random(mel, ids, **drawn)[..., 0, 0]

    together = starts(IDS, seed=0, epoch=1)
    alone = np.concatenate([starts(IDS[i : i + 1], seed=0, epoch=1) for i in (0, 1, 2)])
    np.testing.assert_array_equal(together, alone)
    assert (together[0] != together[1]).any()
    for other in ({"seed": 1, "epoch": 1}, {"seed": 0, "epoch": 2}):
        assert (starts(IDS, **other) != together).any()


def test_every_place_is_drawn():
    mel = np.broadcast_to(np.arange(8, dtype=np.float16), (1, BINS, 8))
    drawn = Windows(6, per_clip=100).random(mel, np.array([0]), seed=0, epoch=0)[..., 0, 0]
    assert {*drawn.ravel()} == {0, 1, 2}


@pytest.mark.parametrize(
    ("scored", "expected"), [(None, [0, 6, 12]), (1, [0]), (3, [0, 7, 14]), (4, [0, 5, 9, 14])]
)
def test_scored_windows_follow_one_another_or_are_evenly_spread(scored, expected):
    cut = Windows(6, scored=scored).even(MEL)
    assert cut[0, :, 0, 0].tolist() == expected
    np.testing.assert_array_equal(cut[2], cut[0] + 200)


def test_a_clip_shorter_than_a_window_is_repeated():
    cut = Windows(50).even(MEL)
    assert cut.shape == (CLIPS, 1, BINS, 50)
    np.testing.assert_array_equal(cut[0, 0, 0], np.tile(np.arange(FRAMES), 3)[:50])
    assert Windows(50).random(MEL, IDS, seed=0, epoch=0).shape == (CLIPS, 1, BINS, 50)

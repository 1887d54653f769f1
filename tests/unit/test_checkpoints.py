import numpy as np
import pytest

from autotagging.checkpoints import Checkpoints


@pytest.fixture
def two(tmp_path):
    """Checkpoints of steps 1 to 3; two of them are kept."""
    checkpoints = Checkpoints(tmp_path, fingerprint="a")
    for step in (1, 2, 3):
        checkpoints.save({"step": np.array(step), "weights": np.full(4, step)})
    return tmp_path


def load(folder, fingerprint="a"):
    found = Checkpoints(folder, fingerprint=fingerprint).load()
    return None if found is None else int(found["step"])


def test_the_newest_is_read_and_two_are_kept(two):
    assert load(two) == 3
    assert len(list(two.iterdir())) == 2


def test_one_of_another_training_is_not_picked_up(two):
    assert load(two, fingerprint="b") is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_newest_one_is_said_and_the_one_before_is_read(two, damage, capsys):
    (newest,) = (path for path in two.iterdir() if np.load(path)["step"] == 3)
    content = bytearray(newest.read_bytes())
    if damage == "flipped":
        content[len(content) // 3] ^= 1
    newest.write_bytes({"cut": content[:-50], "flipped": content, "empty": b""}[damage])
    assert load(two) == 2
    assert f"{newest}: damaged" in capsys.readouterr().err


def test_after_a_fall_back_the_damaged_one_is_replaced(two):
    (newest,) = (path for path in two.iterdir() if np.load(path)["step"] == 3)
    newest.write_bytes(b"")
    checkpoints = Checkpoints(two, fingerprint="a")
    checkpoints.load()
    checkpoints.save({"step": np.array(3)})
    assert newest.stat().st_size
    assert load(two) == 3


def test_nothing_is_left_once_they_are_deleted(two):
    Checkpoints(two, fingerprint="a").delete()
    assert load(two) is None
    assert not list(two.iterdir())

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.training.checkpoints import Checkpoints


def checkpoints_in(folder, *, fingerprint="a", keep_epochs="last"):
    return Checkpoints(folder, fingerprint=fingerprint, keep_epochs=keep_epochs, minutes=10)


@pytest.fixture
def two(tmp_path):
    """Checkpoints of steps 1 to 3; two of them are kept."""
    checkpoints = checkpoints_in(tmp_path)
    for step in (1, 2, 3):
        checkpoints.save({"step": np.array(step), "weights": np.full(4, step)})
    return tmp_path


def load(folder, fingerprint="a"):
    found = checkpoints_in(folder, fingerprint=fingerprint).load()
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
    checkpoints = checkpoints_in(two)
    checkpoints.load()
    checkpoints.save({"step": np.array(3)})
    assert newest.stat().st_size
    assert load(two) == 3


def test_nothing_is_left_once_they_are_deleted(two):
    checkpoints_in(two).delete()
    assert load(two) is None
    assert not list(two.iterdir())


@pytest.mark.parametrize(("keep", "kept"), [("all", [1, 2, 3, 4]), ("last", [4])])
def test_the_weights_after_epochs_are_kept_as_asked_for(tmp_path, keep, kept):
    checkpoints = checkpoints_in(tmp_path, keep_epochs=keep)
    assert checkpoints.load_epochs(0) == {}
    for epoch in (1, 2, 3, 4):
        checkpoints.save_epoch(epoch, [np.full(2, epoch), np.full((3, 1), -epoch)])
    epochs = checkpoints.load_epochs(4)
    assert [*epochs] == kept
    assert epochs[4][0].tolist() == [4, 4]
    assert epochs[4][1].tolist() == [[-4]] * 3
    # The checkpoint before the last may be all that is left of a training.
    assert [*checkpoints.load_epochs(3)] == ([1, 2, 3] if keep == "all" else [3])
    checkpoints.delete()
    assert not list(tmp_path.iterdir())


def test_epochs_of_another_training_in_the_same_folder_are_left_alone(tmp_path):
    one, other = (checkpoints_in(tmp_path, fingerprint=name, keep_epochs="all") for name in "ab")
    one.save_epoch(1, [np.zeros(2)])
    other.save_epoch(1, [np.ones(2)])
    assert one.load_epochs(1)[1][0].tolist() == [0, 0]


def test_a_damaged_epoch_is_named_with_what_to_do(tmp_path):
    checkpoints = checkpoints_in(tmp_path, keep_epochs="all")
    checkpoints.save_epoch(1, [np.zeros(2)])
    checkpoints.save_epoch(2, [np.zeros(2)])
    (path,) = tmp_path.glob("epoch-0001*")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UserError, match=rf"{path.name}: damaged.* delete the folder {tmp_path}"):
        checkpoints.load_epochs(2)

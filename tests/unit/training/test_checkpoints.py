import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.training.checkpoints import discard, only_training
from networks import checkpoints_in


@pytest.fixture
def two(tmp_path):
    """Checkpoints of steps 1 to 3; two of them are kept."""
    checkpoints = checkpoints_in(tmp_path)
    for step in (1, 2, 3):
        checkpoints.save({"step": np.array(step), "weights": np.full(4, step)})
    return tmp_path


def load(folder, **changes):
    found = next(checkpoints_in(folder, **changes).load(), None)
    return None if found is None else int(found["step"])


def test_the_newest_is_read_and_two_are_kept(two):
    assert load(two) == 3
    assert len(list(two.iterdir())) == 2


def test_one_of_another_training_is_not_picked_up(two):
    assert load(two, fingerprint="b") is None
    assert len(list(two.iterdir())) == 2


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
    next(checkpoints.load())
    checkpoints.save({"step": np.array(3)})
    assert newest.stat().st_size
    assert load(two) == 3


@pytest.mark.parametrize(
    ("devices", "difference"),
    [
        ("CPU, 1 threads", "number of threads (--cores)"),
        ("1 GPU (H200), 2 threads", "devices"),
        ("1 GPU (H200), 1 threads", "devices and number of threads (--cores)"),
    ],
)
def test_one_of_other_devices_is_named_and_stays_until_the_end(two, capsys, devices, difference):
    """A GPU that is missing for one run does not cost its training."""
    resumed = checkpoints_in(two)
    next(resumed.load())
    resumed.save_epoch(1, [np.zeros(2)])
    before = {path: path.read_bytes() for path in two.iterdir()}
    for step in (1, 2):
        checkpoints = checkpoints_in(two, devices=devices)
        next(checkpoints.load(), None)  # the second is resumed
        checkpoints.save({"step": np.array(step)})
        checkpoints.save_epoch(1, [np.zeros(2)])
    assert capsys.readouterr().err.splitlines()[0] == (
        f"{two}: checkpoint of CPU, 2 threads, now {devices}: other weights, so training "
        f"starts anew; to continue from the checkpoint, stop now and run with its {difference}; "
        "it stays until this training is finished"
    )
    assert before.items() <= {path: path.read_bytes() for path in two.iterdir()}.items()
    assert load(two) == 3
    assert load(two, devices=devices) == 2
    checkpoints.finish("f" * 64)
    assert load(two) is None
    assert load(two, devices=devices) == 2
    assert not before.keys() & {*two.iterdir()}


def test_one_of_other_devices_and_settings_stays_as_well(two, capsys):
    """With `train.precision: auto`, a GPU's training has another precision than a CPU's."""
    checkpoints = checkpoints_in(two, devices="1 GPU (H200), 2 threads", fingerprint="b")
    assert not list(checkpoints.load())
    checkpoints.save({"step": np.array(1)})
    assert capsys.readouterr().err == (
        f"{two}: checkpoint of another training (parameters, data, code, libraries or precision; "
        "CPU, 2 threads), not used; it stays until this training is finished\n"
    )
    assert load(two) == 3
    checkpoints_in(two, fingerprint="b").save({"step": np.array(1)})
    assert load(two) is None


def test_one_that_earlier_code_named_is_replaced(two):
    earlier = two / "checkpoint-0-0123456789ab.npz"
    next(two.glob("checkpoint-0-*")).rename(earlier)
    checkpoints_in(two).save({"step": np.array(1)})
    assert not earlier.exists()


def test_features_of_other_devices_stay_except_for_those_of_all_clips(tmp_path):
    """The file of all clips is too large to keep twice."""
    gpu = checkpoints_in(tmp_path, devices="1 GPU (H200), 2 threads")
    kept = gpu.path_of("features-codebook", ".npz")
    for path in (kept, gpu.path_of("features-clips", ".bin")):
        path.touch()
    other = checkpoints_in(tmp_path, fingerprint="b").path_of("features-codebook", ".npz")
    other.touch()
    checkpoints = checkpoints_in(tmp_path)
    checkpoints.delete_features_of_others()
    checkpoints.save({"step": np.array(1)})
    assert [*tmp_path.glob("features-*")] == [kept]


def test_other_devices_than_those_of_the_last_finished_training_are_named(two, capsys):
    """Its checkpoints are deleted by then, and Snakemake has deleted its model."""
    checkpoints_in(two).finish("f" * 64)
    discard(two, weights_sha256="f" * 64)
    assert not list(checkpoints_in(two, devices="CPU, 1 threads").load())
    assert not list(checkpoints_in(two, devices="1 GPU (H200), 2 threads").load())
    assert capsys.readouterr().err == (
        "warning: the last training here ran on CPU, 2 threads, this one on CPU, 1 threads: other "
        "weights; for the same ones, use its number of threads (--cores)\n"
        "warning: the last training here ran on CPU, 2 threads, this one on 1 GPU (H200), 2 "
        "threads: other weights; for the same ones, use its devices\n"
    )
    assert not list(checkpoints_in(two).load())
    assert capsys.readouterr().err == ""
    assert not list(checkpoints_in(two, devices="2 workers, CPU, 2 threads each").load())
    assert capsys.readouterr().err.endswith("use its devices\n")


def test_they_are_deleted_with_the_model_they_belong_to_and_no_sooner(two):
    checkpoints_in(two).finish("f" * 64)
    checkpoints_in(two, fingerprint="b").save_epoch(1, [np.zeros(2)])
    discard(two, weights_sha256="e" * 64)
    assert len(list(two.glob("*.npz"))) == 1  # those of "a" made way for the next training
    (two / "notes.txt").write_text("of a user")
    checkpoints_in(two, fingerprint="b").finish("e" * 64)
    with only_training(two):
        discard(two, weights_sha256="e" * 64)
    assert len(list(two.glob("*.npz"))) == 1
    discard(two, weights_sha256="e" * 64)
    assert sorted(path.name for path in two.iterdir()) == ["devices.txt", "notes.txt"]
    (two / "notes.txt").unlink()
    discard(two, weights_sha256="e" * 64)
    assert [*two.parent.glob(f"{two.name}*")] == [two]


def odd_names(folder):
    """List the names that a training would write."""
    checkpoints = checkpoints_in(folder)
    checkpoints.save({"step": np.array(1)})
    checkpoints.save({"step": np.array(2)})
    checkpoints.save_epoch(1, [np.zeros(2)])
    names = [path.name for path in folder.iterdir()]
    return [*names, *(f".partial-{name}" for name in names)]


@pytest.mark.parametrize("odd", ["folder", "link to a folder", "link to nothing", "text"])
def test_whatever_has_their_names_does_not_stop_them(tmp_path, odd):
    names = odd_names(tmp_path / "names")
    folder = tmp_path / "unfinished"
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/kept").touch()
    for name in names:
        if odd == "folder":
            (folder / name / "inside").mkdir(parents=True)
        elif odd == "text":
            (folder / name).write_text("text")
        else:
            target = "elsewhere" if odd == "link to a folder" else "nothing"
            (folder / name).symlink_to(tmp_path / target)
    assert load(folder) is None
    assert odd_names(folder)
    assert load(folder) == 2
    assert (tmp_path / "elsewhere/kept").exists()


@pytest.mark.parametrize("odd", ["file", "link to nothing"])
def test_whatever_is_at_the_place_of_their_folder_does_not_stop_them(tmp_path, odd):
    folder = tmp_path / "unfinished"
    folder.touch() if odd == "file" else folder.symlink_to(tmp_path / "nothing")
    assert load(folder) is None
    assert odd_names(folder)
    assert load(folder) == 2


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


def test_a_damaged_epoch_is_named(tmp_path):
    checkpoints = checkpoints_in(tmp_path, keep_epochs="all")
    checkpoints.save_epoch(1, [np.zeros(2)])
    checkpoints.save_epoch(2, [np.zeros(2)])
    (path,) = tmp_path.glob("epoch-0001*")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UserError, match=rf"{path.name}: damaged"):
        checkpoints.load_epochs(2)

"""Checkpoints of a training, from which an interrupted training resumes with the same result.

They are outside results/, so that neither Snakemake nor DVC deletes them, and stay until `evaluate`
has read the model: if its files are lost before, they are written again without training. Those of
other devices stay until a training is finished: a GPU that is missing for one run may be back.
"""

import hashlib
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.files import load_arrays, save_arrays
from autotagging.common.locks import locked
from autotagging.training.settings import KeepEpochs

_GENERATIONS = 2
_DEVICES = "devices.txt"  # of the last finished training; stays when its checkpoints are deleted
_NAMES = ("checkpoint-", "epoch-", "finished-", ".partial-", "features-")
_KEY = re.compile(r"-([0-9a-f]{15})$")  # at the end of a file's stem


def only_training(folder: Path) -> AbstractContextManager[None]:
    """Wait for a training that uses the same folder, which may have outlived its Snakemake."""
    return locked(_lock_of(folder), f"training in {folder}", wait=True)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


class Checkpoints:
    """The last two checkpoints of one training, written in turn, so that one is always whole.

    Next to them are the weights after each epoch that is kept for `evaluate`. What else is in the
    folder is never read; of it, earlier files of trainings on the same devices are deleted with the
    first checkpoint, and those of other devices when the training is finished.

    Parameters
    ----------
    folder
        Folder of the trainings of one model and seed.
    fingerprint
        Hash of everything the training depends on, except for the devices.
    devices
        Devices and threads of the training; checkpoints of others are not used.
    keep_epochs
        Epochs whose weights are kept: all, or only the last.
    minutes
        Minutes between checkpoints within an epoch.

    Attributes
    ----------
    key
        Hexadecimal hashes of devices and of fingerprint, part of the names of the files.
    """

    def __init__(
        self,
        folder: Path,
        *,
        fingerprint: str,
        devices: str,
        keep_epochs: KeepEpochs,
        minutes: float,
    ):
        self.minutes = minutes
        self._folder = folder
        self._training = {"fingerprint": fingerprint, "devices": devices}
        self._of_devices = _hashed(devices)[:5]
        self.key = self._of_devices + _hashed(fingerprint)[:10]
        self._paths = [folder / f"checkpoint-{i}-{self.key}.npz" for i in range(_GENERATIONS)]
        self._keeps_all = keep_epochs == "all"
        self._turn = 0
        self._resumed = self._tidy = False

    def save(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Replace the older checkpoint. `arrays` has an entry "step", which must increase."""
        self._make_room()
        stamps = {name: np.array(value) for name, value in self._training.items()}
        save_arrays(self._paths[self._turn], {**arrays, **stamps})
        self._turn = (self._turn + 1) % _GENERATIONS

    def load(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield the whole checkpoints of this training, the newest first.

        Whoever does not ask for the next one resumes from the last one.
        """
        found = {turn: self._read(path) for turn, path in enumerate(self._paths)}
        found = {turn: arrays for turn, arrays in found.items() if "step" in arrays}
        self._resumed = True
        for turn in sorted(found, key=lambda turn: int(found[turn]["step"]), reverse=True):
            self._turn = (turn + 1) % _GENERATIONS
            yield found[turn]
        self._resumed = False
        self._describe_others()

    def _read(self, path: Path) -> dict[str, np.ndarray]:
        """Read a checkpoint of this training; empty if it is missing, damaged or another's."""
        try:
            arrays = load_arrays(path) if path.exists() else {}
        except UserError as error:
            print(f"{error}; not used", file=sys.stderr)
            return {}
        stamps = {name: str(arrays.pop(name, "")) for name in self._training}
        return arrays if stamps == self._training else {}

    def _describe_others(self) -> None:
        """Say which checkpoints are there, but not of this training."""
        others = set()
        for path in {*self._folder.glob("checkpoint-*.npz")} - {*self._paths}:
            with suppress(UserError):
                arrays = load_arrays(path)
                others.add(tuple(str(arrays.get(name, "")) for name in self._training))
        fingerprint, devices = self._training.values()
        if not others:
            self._compare_devices(devices)
        for found, other in sorted(others):
            if found == fingerprint:
                which = (
                    f"checkpoint of {other}, now {devices}: other weights, so training starts "
                    "anew; to continue from the checkpoint, stop now and run with its "
                    f"{_difference(other, devices)}"
                )
            else:
                which = (
                    f"checkpoint of another training (parameters, data, code, libraries or "
                    f"precision; {other}), not used"
                )
            until = "the next checkpoint replaces it"
            if other != devices:
                until = "it stays until this training is finished"
            print(f"{self._folder}: {which}; {until}", file=sys.stderr)

    def _compare_devices(self, devices: str) -> None:
        """Warn if the last finished training here ran on other devices or with other threads."""
        with suppress(OSError, UnicodeDecodeError):
            before = (self._folder / _DEVICES).read_text(encoding="utf-8")
            if before != devices:
                print(
                    f"warning: the last training here ran on {before}, this one on {devices}: "
                    f"other weights; for the same ones, use its {_difference(before, devices)}",
                    file=sys.stderr,
                )

    def save_epoch(self, epoch: int, weights: Sequence[np.ndarray]) -> None:
        """Keep the weights after an epoch, before the checkpoint that ends it."""
        self._make_room()
        save_arrays(self._epoch_path(epoch), {str(i): array for i, array in enumerate(weights)})
        if not self._keeps_all:
            self._epoch_path(epoch - 2).unlink(missing_ok=True)  # its successor has a checkpoint

    def load_epochs(self, last: int) -> dict[int, list[np.ndarray]]:
        """Read the weights of each kept epoch, where `last` is the last finished epoch.

        Raises
        ------
        UserError
            The weights of an epoch are missing or damaged.
        """
        kept = range(1 if self._keeps_all else max(last, 1), last + 1)
        epochs = {}
        for epoch in kept:
            arrays = load_arrays(self._epoch_path(epoch))
            epochs[epoch] = [arrays[name] for name in sorted(arrays, key=int)]
        return epochs

    def _epoch_path(self, epoch: int) -> Path:
        return self._folder / f"epoch-{epoch:04}-{self.key}.npz"

    def _make_room(self) -> None:
        """Before the first file is written, delete what no training can resume from."""
        if self._tidy:
            return
        if not self._folder.is_dir():
            self._folder.unlink(missing_ok=True)
        for path in self._folder.glob("*"):
            of_features = path.name.startswith("features-")
            whole = path.stem.endswith(self.key) and (path.is_file() or of_features)
            needed = self._resumed or of_features
            kept = (needed and whole) or self._is_foreign(path)
            if path.name.startswith(_NAMES) and not kept:
                _remove(path)
        self._tidy = True

    def _is_foreign(self, path: Path) -> bool:
        """Tell whether a file is of a training on other devices."""
        named = _KEY.search(path.stem)
        return named is not None and not named[1].startswith(self._of_devices)

    def path_of(self, name: str, suffix: str) -> Path:
        """Name a file of this training that is computed before its first epoch."""
        return self._folder / f"{name}-{self.key}{suffix}"

    def delete_features_of_others(self) -> None:
        """Before a file of features is written, delete those of trainings with other settings.

        Of other devices, only those of all clips are deleted: the largest files.
        """
        for path in self._folder.glob("features-*"):
            kept = self._is_foreign(path) and path.suffix != ".bin"
            if not (kept or path.stem.endswith(self.key)):
                _remove(path)

    def of_part(self, name: str) -> "Checkpoints":
        """Checkpoints of a network that is trained for the features of this training."""
        return Checkpoints(
            self.path_of(f"features-{name}", ""),
            fingerprint=self._training["fingerprint"],
            devices=self._training["devices"],
            keep_epochs="last",
            minutes=self.minutes,
        )

    def finish(self, weights_sha256: str) -> None:
        """Note that the model with these weights is written; `discard` needs it."""
        with suppress(OSError):  # without the note, the checkpoints stay
            (self._folder / _DEVICES).write_text(self._training["devices"], encoding="utf-8")
            (self._folder / f"finished-{weights_sha256[:12]}-{self.key}").touch()
            for path in self._folder.glob("*"):
                if path.name.startswith(_NAMES) and self._is_foreign(path):
                    _remove(path)


def discard(folder: Path, *, weights_sha256: str) -> None:
    """Delete the checkpoints of the training that wrote a model, once that has been accepted.

    Those of another training are kept, and all while a training uses the folder.
    """
    for note in folder.glob(f"finished-{weights_sha256[:12]}-*"):
        key = note.name.rpartition("-")[2]
        with suppress(OSError, UserError), locked(_lock_of(folder), str(folder)):
            for path in sorted(folder.glob(f"*-{key}*")):  # the note comes last
                _remove(path)
            folder.rmdir()  # fails if there are other files


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _difference(before: str, now: str) -> str:
    """Say in what descriptions such as "1 GPU (H200), 2 threads" differ."""
    both = [text.removesuffix(" each").rpartition(", ")[::2] for text in (before, now)]
    pairs = zip(*both, strict=True)
    names = ("devices", "number of threads (--cores)")
    return " and ".join(name for name, pair in zip(names, pairs, strict=True) if len({*pair}) > 1)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

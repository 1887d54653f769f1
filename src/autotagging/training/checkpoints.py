"""Checkpoints of a training, from which an interrupted training resumes with the same result.

They are outside results/, so that neither Snakemake nor DVC deletes them.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.files import load_arrays, save_arrays
from autotagging.training.settings import KeepEpochs

_GENERATIONS = 2
# Attributes of a run that a checkpoint stores in addition to arrays.
_PLAIN = ("epoch", "batches", "loss_sum", "rows", "times", "best_value", "best_epoch")


class Checkpoints:
    """The last two checkpoints of one training, written in turn, so that one is always whole.

    Next to them are the weights after each epoch that is kept for `evaluate`.

    Parameters
    ----------
    folder
        Folder of this training only.
    fingerprint
        Hash of everything the training depends on; checkpoints with another one are not used.
    keep_epochs
        Epochs whose weights are kept: all, or only the last.
    minutes
        Minutes between checkpoints within an epoch.
    """

    def __init__(self, folder: Path, *, fingerprint: str, keep_epochs: KeepEpochs, minutes: float):
        self.minutes = minutes
        self._folder = folder
        self._paths = [folder / f"checkpoint-{turn}.npz" for turn in range(_GENERATIONS)]
        self._fingerprint = fingerprint
        self._keeps_all = keep_epochs == "all"
        self._turn = 0

    def save(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Replace the older checkpoint. `arrays` has an entry "step", which must increase."""
        stamped = {**arrays, "fingerprint": np.array(self._fingerprint)}
        save_arrays(self._paths[self._turn], stamped)
        self._turn = (self._turn + 1) % _GENERATIONS

    def load(self) -> dict[str, np.ndarray] | None:
        """Read the newest whole checkpoint of this training; None if there is none."""
        found = {}
        for turn, path in enumerate(self._paths):
            try:
                arrays = load_arrays(path) if path.exists() else {}
            except UserError as error:
                print(f"{error}; using the previous checkpoint", file=sys.stderr)
                continue
            if arrays.pop("fingerprint", None) == self._fingerprint:
                found[turn] = arrays
        if not found:
            if any(path.exists() for path in self._paths):
                print(
                    f"{self._folder}: checkpoints of another training (parameters, data, code, "
                    "libraries or threads), not used",
                    file=sys.stderr,
                )
            return None
        newest = max(found, key=lambda turn: found[turn]["step"])
        self._turn = (newest + 1) % _GENERATIONS
        return found[newest]

    def save_epoch(self, epoch: int, weights: Sequence[np.ndarray]) -> None:
        """Keep the weights after an epoch, before the checkpoint that ends it."""
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
            path = self._epoch_path(epoch)
            try:
                arrays = load_arrays(path)
            except UserError as error:
                message = f"{error}: delete the folder {self._folder} and train from the start"
                raise UserError(message) from error
            epochs[epoch] = [arrays[str(i)] for i in range(len(arrays))]
        return epochs

    def _epoch_path(self, epoch: int) -> Path:
        # Trainings with other settings may have begun in the same folder.
        return self._folder / f"epoch-{epoch:04}-{self._fingerprint[:12]}.npz"

    def delete(self) -> None:
        """Delete all checkpoints, once the results are written."""
        for path in [*self._paths, *self._folder.glob("epoch-*.npz")]:
            path.unlink(missing_ok=True)


class Run:
    """State of a training: everything its further course depends on, as stored in checkpoints.

    Parameters
    ----------
    variables
        Variables of model and optimizer, including the states of dropout.
    shape
        Shape of the training labels: (training clips, tags).
    checkpoints
        Checkpoints to write, at the end of each epoch and at intervals.
    saves
        Whether this process writes the checkpoints.

    Attributes
    ----------
    epoch, batches
        Current epoch, from 1, and number of its finished batches.
    loss_sum
        Sum of the losses of the clips in these batches.
    scores : float32, (training clips, tags)
        Scores of the clips in these batches; other rows are not yet valid.
    rows, times
        Metrics and times of the finished epochs.
    best_value, best_epoch, best_weights
        Monitored value, number and weights of the best epoch; smaller values are better.
    """

    def __init__(
        self,
        variables: Sequence[Any],
        shape: tuple[int, int],
        checkpoints: Checkpoints,
        *,
        saves: bool = True,
    ):
        self._variables = variables
        self._checkpoints = checkpoints
        self._saves = saves
        self._saved = time.monotonic()
        self._step = 0
        self.epoch, self.batches, self.loss_sum = 1, 0, 0.0
        self.scores = np.empty(shape, np.float32)
        self.rows: list[dict] = []
        self.times: list[dict] = []
        self.best_value, self.best_epoch = np.inf, 0
        self.best_weights: list[np.ndarray] = []

    @property
    def epochs_since_best(self) -> int:
        """Number of finished epochs since the best one, plus the current one."""
        return self.epoch - self.best_epoch if self.best_epoch else 0

    def end_batch(self, batch: np.ndarray, loss: float, scores: np.ndarray) -> None:
        """Record a finished batch; write a checkpoint if it is time for one."""
        self.loss_sum += loss * len(batch)
        self.scores[batch] = scores
        self.batches += 1
        self._step += 1
        if time.monotonic() - self._saved >= 60 * self._checkpoints.minutes:
            self._save()

    def end_epoch(self, row: dict, times: dict, *, value: float, weights: list[np.ndarray]) -> None:
        """Record a finished epoch, keep its weights, and write a checkpoint."""
        self.rows.append(row)
        self.times.append(times)
        if value < self.best_value:
            self.best_value, self.best_epoch, self.best_weights = value, self.epoch, weights
        if self._saves:
            self._checkpoints.save_epoch(self.epoch, weights)
        self.epoch, self.batches, self.loss_sum = self.epoch + 1, 0, 0.0
        self._step += 1
        self._save()

    def _save(self) -> None:
        if not self._saves:
            return
        plain = {name: getattr(self, name) for name in _PLAIN}
        self._checkpoints.save(
            {
                "step": np.array(self._step),
                "plain": np.array(json.dumps(plain)),
                "scores": self.scores,
                **{f"variable_{i}": v.numpy() for i, v in enumerate(self._variables)},
                **{f"best_{i}": weight for i, weight in enumerate(self.best_weights)},
            }
        )
        self._saved = time.monotonic()

    def resume(self) -> bool:
        """Resume from the newest checkpoint; return False if there is none."""
        saved = self._checkpoints.load()
        if saved is None:
            return False
        self._step = int(saved["step"])
        for name, value in json.loads(str(saved["plain"])).items():
            setattr(self, name, value)
        self._checkpoints.load_epochs(self.epoch - 1)  # fails now instead of at the end
        self.scores = saved["scores"]
        for i, variable in enumerate(self._variables):
            variable.assign(saved[f"variable_{i}"])
        n_weights = sum(name.startswith("best_") for name in saved)
        self.best_weights = [saved[f"best_{i}"] for i in range(n_weights)]
        return True

"""State of a training, as it is saved in checkpoints and restored from them."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotagging.common.errors import UserError
from autotagging.training.checkpoints import Checkpoints

# Attributes of a run that a checkpoint stores in addition to arrays.
_PLAIN = ("epoch", "batches", "loss_sum", "rows", "times", "best_value", "best_epoch")


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
        """Resume from the newest checkpoint that can be used; return False if there is none."""
        for saved in self._checkpoints.load():
            try:
                self._restore(saved)
            except (UserError, KeyError, TypeError, ValueError) as error:
                print(f"{error}; the checkpoint that needs it is not used", file=sys.stderr)
            else:
                return True
        return False

    def _restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Take over all of a checkpoint, or raise an exception and change nothing."""
        plain = {name: json.loads(str(saved["plain"]))[name] for name in _PLAIN}
        values = [saved[f"variable_{i}"] for i in range(len(self._variables))]
        shapes = [tuple(variable.shape) for variable in self._variables]
        if [self.scores.shape, *shapes] != [array.shape for array in (saved["scores"], *values)]:
            raise ValueError("arrays of other shapes")
        n_weights = sum(name.startswith("best_") for name in saved)
        best_weights = [saved[f"best_{i}"] for i in range(n_weights)]
        self._checkpoints.load_epochs(plain["epoch"] - 1)  # fails now instead of at the end
        for name, value in plain.items():
            setattr(self, name, value)
        self._step, self.scores, self.best_weights = (
            int(saved["step"]),
            saved["scores"],
            best_weights,
        )
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)

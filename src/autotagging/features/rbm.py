"""Restricted Boltzmann machines (RBMs), trained by contrastive divergence with one step (CD-1).

After Nam, Herrera and Lee, "A deep bag-of-features model for music auto-tagging", 2015.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np

from autotagging.common.errors import UserError

Kind = Literal["gaussian_binary", "sigmoid_relu", "relu_relu"]
"""Visible and hidden units.

- gaussian_binary: data of unit variance; reconstructed by the mean; binary hidden units.
- sigmoid_relu: data from 0 to 1; reconstructed through the sigmoid; noisy rectified linear (ReLU)
  hidden units.
- relu_relu: data of 0 or more; reconstructed through the rectifier; noisy ReLU hidden units.
"""

Keep = Callable[[str, Callable[[], dict[str, np.ndarray]]], dict[str, np.ndarray]]
"""Function that returns the arrays of a name, which the second argument computes."""

_KEPT = 50  # epochs
_START = 0.01  # standard deviation of the first weights
_NEWEST = 0.01  # weight of a batch in the running mean of the activations


@dataclass(frozen=True)
class RBMSettings:
    """Settings of an RBM and its training.

    Attributes
    ----------
    kind
        Visible and hidden units; see `Kind`.
    n_hidden
        Number of hidden units.
    epochs
        Passes over the data.
    learning_rate
        Step of the first epoch.
    min_learning_rate
        Step below which the learning rate does not decay.
    min_updates
        Number of updates to reach, if need be with more epochs than `epochs`: sparse hidden units
        take about 3,000, on however few rows.
    learning_rate_decay
        Factor on the learning rate after each epoch.
    momentum, final_momentum
        Momentum before and after the change.
    momentum_change
        Share of the epochs before the change of the momentum.
    weight_cost
        Weight decay: its gradient per weight. Biases do not decay.
    sparsity_target
        Mean activation of each hidden unit, or None. It is reached through the hidden bias.
    sparsity_cost
        Step of that bias, in learning rates, per unit of deviation from the target.
    batch_size
        Most rows per update.
    """

    kind: Kind
    n_hidden: int
    epochs: int
    learning_rate: float
    min_learning_rate: float
    min_updates: int = 0
    learning_rate_decay: float = 0.99
    momentum: float = 0.5
    final_momentum: float = 0.9
    momentum_change: float = 0.2
    weight_cost: float = 0.001
    sparsity_target: float | None = None
    sparsity_cost: float = 3.0
    batch_size: int = 100


class RBM(NamedTuple):
    """A trained RBM.

    Attributes
    ----------
    weights : float32, (dims, n_hidden)
    visible_bias : float32, (dims,)
    hidden_bias : float32, (n_hidden,)
    errors : float32, (epochs,)
        Squared reconstruction error, summed over dimensions, mean over rows, in each epoch.
    activations : float32, (epochs,)
        Mean activation of the hidden units in each epoch.
    """

    weights: np.ndarray
    visible_bias: np.ndarray
    hidden_bias: np.ndarray
    errors: np.ndarray
    activations: np.ndarray


def train_rbm(
    data: np.ndarray,
    settings: RBMSettings,
    seed: int,
    progress: Callable[..., Iterable[int]] | None = None,
    keep: Keep | None = None,
) -> RBM:
    """Train an RBM with CD-1.

    The rows are shuffled once; all epochs use them in that order, in batches of nearly equal size.

    Parameters
    ----------
    data : (rows, dims)
        Rows of the training clips, of any floating-point type, in the range of `settings.kind`.
    settings
        Settings of the RBM.
    seed
        Seed of the order of the rows, the first weights and the samples.
    progress
        Function that reports the progress, called once with the epochs to yield, `total` and
        `note`; for instance `autotagging.common.progress.progress` with a label.
    keep
        See `models.FeatureModel`: called for every 50 epochs, so that a training that was stopped
        continues from there. None: nothing is kept.

    Raises
    ------
    UserError
        If there are no rows, or the training diverges.
    """
    if not len(data):
        raise UserError("There are no rows of training clips to train an RBM on.")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(data))
    batches = np.array_split(order, -(-len(data) // settings.batch_size))
    epochs = max(settings.epochs, -(-settings.min_updates // len(batches)))
    training = _Training(data.shape[1], settings, rng, rows=len(batches[0]), epochs=epochs)
    numbers = range(epochs)
    if progress:
        numbers = progress(numbers, total=epochs, note=training.note)
    numbers = iter(numbers)

    def run(count: int) -> dict[str, np.ndarray]:
        for _ in islice(numbers, count):
            training.epoch(data[batch] for batch in batches)
        return training.state()

    keep = keep or (lambda name, compute: compute())
    for first in range(0, epochs, _KEPT):
        last = min(first + _KEPT, epochs)
        state = keep(f"epoch-{last}", partial(run, last - first))
        if training.done < last:  # read, not computed
            training.resume(state)
            sum(1 for _ in islice(numbers, last - first))
    return RBM(*training.parameters, *np.ascontiguousarray(training.history.T))


def hidden(data: np.ndarray, weights: np.ndarray, bias: np.ndarray, kind: Kind) -> np.ndarray:
    """Mean activations of the hidden units, without sampling.

    Parameters
    ----------
    data : (..., dims)
    weights : (dims, n_hidden)
    bias : (n_hidden,)
        Bias of the hidden units.
    kind
        Kind of the RBM.

    Returns
    -------
    activations : float32, (..., n_hidden)
        Probabilities for binary units; 0 or more for rectified linear ones.
    """
    total = np.asarray(data, np.float32) @ weights
    total += bias
    return _HIDDEN[kind](total, out=total)


def _layer(data: np.ndarray, weights: np.ndarray, bias: np.ndarray, out: np.ndarray) -> None:
    np.matmul(data, weights, out=out)
    out += bias


def _sigmoid(total: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Sigmoid through tanh, which is much faster than exp or expit in float32."""
    np.multiply(total, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5
    return out


def _rectify(total: np.ndarray, out: np.ndarray) -> np.ndarray:
    return np.maximum(total, 0, out=out)


def _keep(total: np.ndarray, out: np.ndarray) -> np.ndarray:
    return np.positive(total, out=out)


_HIDDEN = {"gaussian_binary": _sigmoid, "sigmoid_relu": _rectify, "relu_relu": _rectify}
_VISIBLE = {"gaussian_binary": _keep, "sigmoid_relu": _sigmoid, "relu_relu": _rectify}


class _Training:
    """Parameters of an RBM in training, their momentum, and buffers for one batch."""

    def __init__(
        self,
        dims: int,
        settings: RBMSettings,
        rng: np.random.Generator,
        *,
        rows: int,
        epochs: int,
    ) -> None:
        hidden_units = settings.n_hidden
        self._settings, self._rng = settings, rng
        self._weights = _START * rng.standard_normal((dims, hidden_units), np.float32)
        self._visible_bias = np.zeros(dims, np.float32)
        self._hidden_bias = np.zeros(hidden_units, np.float32)
        self._steps = [np.zeros_like(parameter) for parameter in self.parameters]
        self._gradient, self._spare = np.empty((2, dims, hidden_units), np.float32)
        self._running = np.full(hidden_units, np.nan, np.float32)  # of no batch yet
        self.history = np.zeros((epochs, 2), np.float32)
        self.done = 0
        self._visible = np.empty((3, rows, dims), np.float32)
        self._hidden = np.empty((4, rows, hidden_units), np.float32)

    @property
    def parameters(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights, visible bias and hidden bias."""
        return self._weights, self._visible_bias, self._hidden_bias

    def note(self) -> str:
        """Error and activation of the last epoch, as text."""
        if not self.done:
            return ""
        error, activation = self.history[self.done - 1]
        return f"error {error:.4g}, activation {activation:.3f}"

    def state(self) -> dict[str, np.ndarray]:
        """Give all that the later epochs depend on."""
        arrays = [*self.parameters, *self._steps]
        generator = np.array(json.dumps(self._rng.bit_generator.state))
        return {
            **{f"array-{number}": array.copy() for number, array in enumerate(arrays)},
            "running": np.nan_to_num(self._running),
            "history": self.history[: self.done].copy(),
            "generator": generator,
        }

    def resume(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from the result of `state`."""
        for number, array in enumerate([*self.parameters, *self._steps]):
            array[:] = state[f"array-{number}"]
        self._running[:] = state["running"]
        self.done = len(state["history"])
        self.history[: self.done] = state["history"]
        self._rng.bit_generator.state = json.loads(str(state["generator"]))

    def epoch(self, batches: Iterable[np.ndarray]) -> None:
        """Update with each batch; note the mean reconstruction error and activation."""
        settings, epochs = self._settings, len(self.history)
        decayed = settings.learning_rate * settings.learning_rate_decay**self.done
        rate = max(decayed, settings.min_learning_rate)
        late = self.done >= settings.momentum_change * epochs
        momentum = settings.final_momentum if late else settings.momentum
        rows, error, activation = 0, 0.0, 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            for batch in batches:
                batch_error, batch_activation = self._update(batch, rate, momentum)
                rows += len(batch)
                error += batch_error
                activation += batch_activation * len(batch)
        means = self.history[self.done] = error / rows, activation / rows
        self.done += 1
        if not all(np.isfinite(array).all() for array in (*self.parameters, means)):
            raise UserError(
                f"The RBM ({settings.kind}) diverged in epoch {self.done} of {epochs}: the "
                "learning rate is too high, or the data have NaN or infinite values."
            )

    def _update(self, batch: np.ndarray, rate: float, momentum: float) -> tuple[float, float]:
        """Take one step of CD-1; return the summed squared error and the mean activation."""
        size, kind = len(batch), self._settings.kind
        data, rebuilt, difference = (buffer[:size] for buffer in self._visible)
        means, rebuilt_means, states, spare = (buffer[:size] for buffer in self._hidden)
        data[:] = batch
        _layer(data, self._weights, self._hidden_bias, out=states)
        _HIDDEN[kind](states, out=means)
        self._sample(states, means, spare, rebuilt_means)
        _layer(states, self._weights.T, self._visible_bias, out=rebuilt)
        _VISIBLE[kind](rebuilt, out=rebuilt)
        _layer(rebuilt, self._weights, self._hidden_bias, out=rebuilt_means)
        _HIDDEN[kind](rebuilt_means, out=rebuilt_means)

        np.matmul(data.T, means, out=self._gradient)
        np.matmul(rebuilt.T, rebuilt_means, out=self._spare)
        self._gradient -= self._spare
        self._gradient /= size
        np.multiply(self._weights, self._settings.weight_cost, out=self._spare)
        self._gradient -= self._spare
        np.subtract(data, rebuilt, out=difference)
        activation = means.mean(axis=0)
        hidden_gradient = activation - rebuilt_means.mean(axis=0) - self._excess(activation)
        self._step((self._gradient, difference.mean(axis=0), hidden_gradient), rate, momentum)
        return float(np.vdot(difference, difference)), float(activation.mean())

    def _step(self, gradients: Iterable[np.ndarray], rate: float, momentum: float) -> None:
        """Move the parameters along the gradients, which are overwritten."""
        for parameter, step, gradient in zip(self.parameters, self._steps, gradients, strict=True):
            step *= momentum
            gradient *= rate
            step += gradient
            parameter += step

    def _sample(
        self, states: np.ndarray, means: np.ndarray, noise: np.ndarray, deviation: np.ndarray
    ) -> None:
        """Replace the total inputs of the hidden units by sampled states; two arrays are spare."""
        if self._settings.kind == "gaussian_binary":
            self._rng.random(out=noise, dtype=np.float32)
            np.less(noise, means, out=states)
            return
        self._rng.standard_normal(out=noise, dtype=np.float32)
        _sigmoid(states, out=deviation)
        np.sqrt(deviation, out=deviation)
        noise *= deviation
        states += noise
        _rectify(states, out=states)

    def _excess(self, activation: np.ndarray) -> np.ndarray | float:
        """Gradient of the sparsity cost to the hidden bias: it lowers the bias where positive."""
        target = self._settings.sparsity_target
        if target is None:
            return 0.0
        if np.isnan(self._running[0]):
            self._running[:] = activation
        self._running += _NEWEST * (activation - self._running)
        return self._settings.sparsity_cost * (self._running - target)

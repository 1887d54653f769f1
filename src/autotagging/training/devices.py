"""Devices that train a network: one device, all GPUs of a machine, or several machines.

Every device has all weights, the batch is divided among the devices, gradients are summed, and
batch normalization uses the whole batch. So the loss is that of one device, except for rounding.

Imports TensorFlow; import it inside functions.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
    redirect_stderr,
)
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.memory import keep_freed_memory
from autotagging.common.progress import native_log_hidden
from autotagging.common.versions import NOT_INSTALLED, version_of
from autotagging.training.cluster import cluster_config
from autotagging.training.optimizer import apply_gradients
from autotagging.training.settings import GPU_PACKAGE, DeviceChoice, hides_gpus
from autotagging.training.window_networks import (
    flat_windows,
    mean_over_windows,
    penalty,
    score_windows,
)

with native_log_hidden():
    import keras
    import tensorflow as tf

Gather = Callable[[np.ndarray], np.ndarray]
"""Function from clip ids to their spectrograms, (clips, mel bins, frames)."""

# Errors of the collective operations when another process has ended.
_LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.UnavailableError,
)


@dataclass(frozen=True)
class Devices:
    """Devices that train one network together.

    Attributes
    ----------
    label
        Description of the devices for readers.
    strategy
        TensorFlow's strategy for several devices; None for one device.
    worker, workers
        Number of this process, from 0, and number of processes.
    xla
        Whether XLA may compile groups of operations of a step on one GPU.
    """

    label: str
    strategy: tf.distribute.Strategy | None = None
    worker: int = 0
    workers: int = 1
    xla: bool = False

    @property
    def replicas(self) -> int:
        """Count the devices of all processes."""
        return 1 if self.strategy is None else self.strategy.num_replicas_in_sync

    def describe(self, threads: int) -> str:
        """Name the devices and the number of threads: with others, a training has other bits."""
        return self.label if "threads" in self.label else f"{self.label}, {threads} threads"

    @property
    def writes(self) -> bool:
        """Tell whether this is the process that writes checkpoints and results."""
        return self.worker == 0

    @contextmanager
    def one_voice(self) -> Iterator[None]:
        """Silence standard error in all processes except the first; exceptions are still raised."""
        with ExitStack() as stack:
            if not self.writes:
                nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
                stack.enter_context(redirect_stderr(nowhere))
            yield

    def scope(self) -> AbstractContextManager:
        """Create variables on every device within this context."""
        return nullcontext() if self.strategy is None else self.strategy.scope()

    def copied(self, gather: Gather) -> Gather:
        """Have the threads that read batches copy them to the GPU, so that no step waits for it.

        On a CPU or several devices, `gather` is returned as it is.
        """
        if self.strategy or not tf.config.get_visible_devices("GPU"):
            return gather

        def gather_on_gpu(clip_ids: np.ndarray) -> tf.Tensor:
            with tf.device("GPU:0"):
                return tf.constant(gather(clip_ids))

        return gather_on_gpu

    def rows(self, batch: np.ndarray) -> np.ndarray:
        """Select the clips of a batch that this process reads: those of its own devices."""
        own = self._own_shares(len(batch))
        return batch[own[0].start : own[-1].stop]

    def shares(self, clips: int) -> list[slice]:
        """Divide a batch among the devices; if there are more devices than clips, each gets all.

        No device may be without clips. If all devices have the same clips, the mean gradient, and
        the mean and variance over the batch, stay the same.
        """
        if clips < self.replicas:
            return [slice(0, clips)] * self.replicas
        bounds = [clips * replica // self.replicas for replica in range(self.replicas + 1)]
        return [slice(*pair) for pair in pairwise(bounds)]

    def _own_shares(self, clips: int) -> list[slice]:
        local = self.replicas // self.workers
        return self.shares(clips)[self.worker * local : (self.worker + 1) * local]

    def check_agreement(self, numbers: Sequence[int], meaning: str) -> None:
        """Check that integers are the same in all processes.

        Raises
        ------
        UserError
            The integers differ between processes.
        """
        if self.workers == 1:
            return
        mine = np.array([numbers], np.int64)
        found = np.unique(self._gather(self._distribute(lambda _: mine)).numpy(), axis=0)
        if len(found) > 1:
            raise UserError(
                f"the workers differ in {meaning}: {' and '.join(map(str, found.tolist()))}; all "
                "need the same parameters, files and hardware"
            )

    def make_train_step(
        self, model: keras.Model, optimizer: keras.optimizers.Optimizer
    ) -> Callable:
        """Make a function (mel, labels) -> (loss, scores) that takes a step of the optimizer.

        `mel` has the clips selected by `rows`; `labels` and the results are for the whole batch.
        """

        def replica_step(mel, labels, clips):
            windows, mel = flat_windows(model, mel)
            of_windows = tf.repeat(labels, windows, axis=0)
            with tf.GradientTape() as tape:
                scores = model(mel, training=True)
                # The optimizer sums the devices' gradients, so each computes its part of the mean.
                errors = keras.losses.binary_crossentropy(of_windows, scores)
                loss = tf.reduce_sum(errors) / (clips * windows)
                scaled = optimizer.scale_loss(loss + penalty(model) / self.replicas)
            apply_gradients(tape, scaled, model, optimizer)
            return loss, mean_over_windows(scores, windows)

        @tf.function(reduce_retracing=True)
        def step(mel, labels, clips):
            losses, scores = self.strategy.run(replica_step, (mel, labels, clips))
            loss = self.strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)
            return loss, self.strategy.gather(scores, axis=0)

        def train_step(mel: np.ndarray, labels: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
            clips = sum(share.stop - share.start for share in self.shares(len(labels)))
            mel = self._distribute_rows(mel, len(labels))
            own_labels = self._distribute_rows(self.rows(labels), len(labels))
            loss, scores = self._together(step, mel, own_labels, tf.constant(clips, tf.float32))
            return loss, scores[: len(labels)]

        return train_step

    def make_score_step(self, model: keras.Model) -> Callable:
        """Make a function (mel, clips) -> scores of a batch, where `clips` is its number of clips.

        `mel` has the clips selected by `rows`.
        """

        def replica_step(mel):
            return score_windows(model, partial(model, training=False), mel)

        @tf.function(reduce_retracing=True)
        def step(mel):
            return self.strategy.gather(self.strategy.run(replica_step, (mel,)), axis=0)

        def score_step(mel: np.ndarray, clips: int) -> tf.Tensor:
            return self._together(step, self._distribute_rows(mel, clips))[:clips]

        return score_step

    def _distribute_rows(self, rows: np.ndarray, clips: int) -> tf.distribute.DistributedValues:
        """Give each device of this process its share of the clips selected by `rows`."""
        shares, first = self.shares(clips), self._own_shares(clips)[0].start

        def part(context: tf.distribute.ReplicaContext) -> np.ndarray:
            share = shares[context.replica_id_in_sync_group]
            return rows[share.start - first : share.stop - first]

        return self._distribute(part)

    def _distribute(self, part: Callable) -> tf.distribute.DistributedValues:
        def tensor(context: tf.distribute.ReplicaContext) -> tf.Tensor:
            with tf.device("CPU"):  # otherwise it passes through the first GPU
                return tf.constant(part(context))

        return self.strategy.experimental_distribute_values_from_function(tensor)

    def _gather(self, values: tf.distribute.DistributedValues) -> tf.Tensor:
        gather = tf.function(lambda each: self.strategy.gather(each, axis=0))
        return self._together(gather, values)

    def _together(self, function: Callable, *arguments):
        """Call a function that all processes must call."""
        try:
            return function(*arguments)
        except _LOST as error:
            if self.workers == 1:
                raise
            raise UserError(
                f"worker {self.worker} lost the connection to one of {self.workers} workers; see "
                "the log of that worker, and run again to resume from the last checkpoint"
            ) from error


ONE_DEVICE = Devices("one device")


@contextmanager
def full_memory_explained(advice: str) -> Iterator[None]:
    """Turn TensorFlow's errors about a full memory into a UserError.

    Parameters
    ----------
    advice
        What helps other than free memory.
    """
    try:
        yield
    except tf.errors.OpError as error:
        # Libraries of CUDA report it as an internal error.
        told = re.search(r"out.of.memory|alloc_failed", str(error), re.IGNORECASE)
        if not (told or isinstance(error, tf.errors.ResourceExhaustedError)):
            raise
        gpu = tf.config.get_visible_devices("GPU")
        memory, tool = ("the GPU's", "nvidia-smi") if gpu else ("the machine's", "top")
        raise UserError(
            f"{memory} memory is full: free some (`{tool}` shows what uses it) and run again; or "
            f"{advice}"
        ) from error


def prepare(
    *, seed: int, threads: int, devices: DeviceChoice = "auto", xla: bool = False
) -> Devices:
    """Configure TensorFlow before its first use; return the devices that it will use.

    The same seed gives the same weights on the same machine with the same number of threads.
    """
    keep_freed_memory(large=True)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    chosen = choose(devices, threads=threads)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    return replace(chosen, xla=xla)


def choose(choice: DeviceChoice, *, threads: int) -> Devices:
    """Choose the devices to train on; call it before TensorFlow has used any.

    Parameters
    ----------
    choice
        "auto": one GPU if there is one, else the CPU. "mirrored": all GPUs of this machine.
        "multi_worker": the processes named in TF_CONFIG, or else the tasks of this Slurm step, on
        all GPUs of each, or its CPU.
    threads
        Number of CPU threads, for the label.

    Raises
    ------
    UserError
        The devices are not available.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        _warn_of_missing_gpu()
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if choice == "mirrored":
        if len(gpus) < 2:
            raise UserError(
                "devices mirrored needs two GPUs or more, and TensorFlow sees "
                f"{len(gpus) or 'none'}; set train.devices to auto"
            )
        return Devices(_label(gpus), tf.distribute.MirroredStrategy())
    if choice == "multi_worker":
        return _join(gpus, threads)
    if len(gpus) > 1:
        tf.config.set_visible_devices(gpus[:1], "GPU")
    return Devices(_label(gpus[:1]) if gpus else f"CPU, {threads} threads")


def _warn_of_missing_gpu() -> None:
    """Say so if this environment is for a GPU, and the user has not hidden it."""
    hidden = hides_gpus(os.environ.get("CUDA_VISIBLE_DEVICES"))
    if not hidden and version_of(GPU_PACKAGE) != NOT_INSTALLED:
        print(
            "warning: TensorFlow finds no GPU, so this runs on the CPU; `autotagging doctor` says "
            "why",
            file=sys.stderr,
        )


def _join(gpus: list, threads: int) -> Devices:
    """Connect to the other processes, and wait for them."""
    cluster = cluster_config(os.environ)
    os.environ["TF_CONFIG"] = json.dumps(cluster)
    workers, worker = cluster["cluster"]["worker"], cluster["task"]["index"]
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    each = _label(gpus) if gpus else f"CPU, {threads} threads"
    return Devices(f"{len(workers)} workers, {each} each", strategy, worker, len(workers))


def _label(gpus: list) -> str:
    """Count and name the GPUs: on another kind, a training has other bits."""
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    names = sorted({each.get("device_name", "unknown") for each in details})
    return f"{len(gpus)} GPU{'s' * (len(gpus) > 1)} ({', '.join(names)})"

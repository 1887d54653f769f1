"""What a training is told: how to train, and on what machine (sec. III)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Schedule = Literal["constant", "cosine", "step"]
OutputBias = Literal["prior", "zero"]
Monitor = Literal["val_loss", "val_auc"]
KeepEpochs = Literal["all", "last"]
PrecisionChoice = Literal["float32", "mixed_bfloat16", "mixed_float16", "auto"]
DeviceChoice = Literal["auto", "mirrored", "multi_worker"]


@dataclass(frozen=True)
class Settings:
    """How a network is trained: all of it may change the result.

    Attributes
    ----------
    batch_size
        Clips per step.
    epochs
        Largest number of epochs.
    learning_rate
        Adam's learning rate in the first step.
    schedule
        Course of the learning rate: the same in all steps (constant), down to zero over all epochs
        (cosine), or a tenth and a hundredth after half and three quarters of the epochs (step).
    output_bias
        First bias of the output layer: each tag's log-odds in training (prior), or zero.
    monitor
        Measure of the best epoch: lowest val_loss or highest val_auc.
    patience
        Epochs without a better one after which training stops; none: all epochs run.
    keep_epochs
        Epochs whose weights are kept next to the best one's: all, or the last.
    precision
        Numbers that the convolutions compute with; auto is the fastest that the hardware is made
        for.
    """

    batch_size: int
    epochs: int
    learning_rate: float
    schedule: Schedule
    output_bias: OutputBias
    monitor: Monitor
    patience: int | None
    keep_epochs: KeepEpochs
    precision: PrecisionChoice


@dataclass(frozen=True)
class Machine:
    """What a network is trained on, and what it may use there.

    Attributes
    ----------
    threads
        Threads of the processor.
    devices
        Devices: one GPU or else the CPU (auto), all GPUs of this machine (mirrored), or those of
        all processes named by TF_CONFIG or Slurm (multi_worker), of which the first writes the
        outputs.
    xla
        Whether XLA compiles what it can of a step; on a GPU only.
    cache
        GB of spectrograms to keep in memory: those that are read first.
    checkpoint_minutes
        Minutes between checkpoints within an epoch; one more is written at each epoch's end.
    unfinished
        Folder of the checkpoints, from which a stopped training goes on.
    """

    threads: int
    devices: DeviceChoice
    xla: bool
    cache: float
    checkpoint_minutes: float
    unfinished: Path

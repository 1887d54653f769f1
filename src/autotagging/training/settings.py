"""Settings of a training, and of the machine that it runs on (sec. III)."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Schedule = Literal["constant", "cosine", "step"]
OutputBias = Literal["prior", "zero"]
Monitor = Literal["val_loss", "val_auc"]
KeepEpochs = Literal["all", "last"]
PrecisionChoice = Literal["float32", "mixed_bfloat16", "mixed_float16", "auto"]
DeviceChoice = Literal["auto", "mirrored", "multi_worker"]

BFLOAT16_FLAGS = ("avx512_bf16", "amx_bf16")
"""Flags of a CPU, as Linux lists them, with which it computes in bfloat16."""
GPU_PACKAGE = "nvidia-cudnn-cu12"
"""A package that only environments for GPUs have."""


def hides_gpus(visible: str | None) -> bool:
    """Tell whether a value of CUDA_VISIBLE_DEVICES names no GPU, such as "" or "-1"."""
    return visible is not None and not re.match(r"\d|GPU-|MIG-", visible)


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of a training that may change its result.

    Attributes
    ----------
    batch_size
        Clips per training step.
    epochs
        Maximum number of epochs.
    learning_rate
        Adam's learning rate in the first step.
    schedule
        Course of the learning rate: the same in all steps (constant), down to zero over all epochs
        (cosine), or a tenth and a hundredth after half and three quarters of the epochs (step).
    output_bias
        Initial bias of the output layer: each tag's log-odds in training (prior), or zero.
    monitor
        Metric that selects the best epoch: lowest val_loss or highest val_auc.
    patience
        Number of epochs without improvement after which training stops; none: all epochs run.
    keep_epochs
        Epochs whose weights are kept next to the best one's: all, or the last.
    precision
        Precision of the convolutions; auto is the fastest one that the hardware supports
        natively.
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
    """Settings of the machine that a network is trained on.

    Attributes
    ----------
    threads
        Number of CPU threads.
    devices
        Devices: one GPU or else the CPU (auto), all GPUs of this machine (mirrored), or those of
        all processes named by TF_CONFIG or Slurm (multi_worker), of which the first writes the
        outputs.
    xla
        Whether XLA compiles groups of operations of a training step; on one GPU, and only if the
        network's blocks can be fused.
    cache
        GB of spectrograms to keep in memory: those that are read first.
    checkpoint_minutes
        Minutes between checkpoints within an epoch; one more is written at each epoch's end.
    unfinished
        Folder of the checkpoints, from which an interrupted training resumes.
    """

    threads: int
    devices: DeviceChoice
    xla: bool
    cache: float
    checkpoint_minutes: float
    unfinished: Path

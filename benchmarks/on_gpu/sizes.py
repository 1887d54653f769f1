"""How much is measured: the paper's network on a GPU, or a toy that a CPU finishes in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Sizes of all measurements.

    Attributes
    ----------
    frames, padded
        Frames of a spectrogram, and after the padding; there are always 96 mel bins.
    batches
        Clips a step, in the rows that time steps and scoring.
    warm_up, steps
        Steps that are not timed, and steps whose median is reported.
    clips, validation
        Training and validation clips of the made-up data set.
    batch, epochs
        Clips a step and epochs of the training that is compared with the CPU's.
    long_clips
        Clips of the epoch whose waiting is measured; clips repeat.
    gradient_clips
        Clips of the batch whose gradients are compared with float64.
    scored
        Clips that are scored for a time.
    copied, matrix
        Numbers (float32) copied for the bandwidth; rows of the matrices for the rate.
    """

    frames: int
    padded: int
    batches: tuple[int, ...]
    warm_up: int
    steps: int
    clips: int
    validation: int
    batch: int
    epochs: int
    long_clips: int
    gradient_clips: int
    scored: int
    copied: int
    matrix: int


MEL_BINS, TAGS = 96, 50
FILTERS = (64, 128, 128, 128)
POOLS = ((2, 2), (3, 3), (4, 4), (4, 4))
FULL = Size(
    frames=1366,
    padded=1440,
    batches=(32, 128, 512),
    warm_up=5,
    steps=30,
    clips=1600,
    validation=400,
    batch=32,
    epochs=4,
    long_clips=19_776,  # 618 whole batches
    gradient_clips=8,
    scored=4096,
    copied=2**29,
    matrix=8192,
)
TINY = Size(
    frames=94,
    padded=96,
    batches=(2, 3),
    warm_up=1,
    steps=2,
    clips=24,
    validation=8,
    batch=8,
    epochs=2,
    long_clips=32,
    gradient_clips=2,
    scored=8,
    copied=2**18,
    matrix=128,
)
EPOCHS_OF_THE_PAPER, CLIPS_OF_THE_PAPER, BATCH_OF_THE_PAPER = 100, 19_773, 32


def size_of(name: str) -> Size:
    """Look a size up: "full" or "tiny"."""
    return {"full": FULL, "tiny": TINY}[name]

"""Least work of a training step: operations and bytes, counted by hand (sec. II.C, Table 2)."""

from on_gpu.sizes import FILTERS, MEL_BINS, POOLS, Size

BYTES = {"float32": 4, "tf32": 4, "mixed_bfloat16": 2, "mixed_float16": 2}


def blocks(size: Size) -> list[dict[str, int]]:
    """Count for each block, of one clip: numbers that go in and come out, multiply-adds."""
    rows, (height, width), channels = [], (MEL_BINS, size.padded), 1
    for filters, pool in zip(FILTERS, POOLS, strict=True):
        rows.append(
            {
                "inputs": height * width * channels,
                "outputs": height * width * filters,
                "multiply_adds": height * width * channels * filters * 9,
            }
        )
        height, width, channels = height // pool[0], width // pool[1], filters
    return rows


def operations(size: Size) -> int:
    """Count the floating-point operations of one clip in a training step.

    Forward, the gradient of the kernels and that of the inputs are one convolution each, of two
    operations a multiply-add; nothing needs the gradient of the first block's input.
    """
    rows = blocks(size)
    return 2 * (3 * sum(row["multiply_adds"] for row in rows) - rows[0]["multiply_adds"])


def moved(size: Size) -> int:
    """Count the numbers that one clip's step reads and writes, with convolutions of their own.

    The convolution's output is written once and read three times (statistics; normalization and
    pooling; gradient of both), its gradient is written once and read by each convolution of the
    backward pass. The input is read twice and its gradient written once. What comes after a
    pooling is small, and left out where it is.
    """
    total = 0
    for number, row in enumerate(blocks(size)):
        first = number == 0
        total += row["outputs"] * (4 + (2 if first else 3))
        total += row["inputs"] * (2 if first else 3)
    return total


def floor_seconds(
    size: Size, precision: str, clips: int, *, rates: dict[str, float], bandwidth: float
) -> dict[str, float]:
    """Divide a step's operations and bytes by what the machine does.

    Parameters
    ----------
    size, clips
        Of the spectrograms and the batch.
    precision
        A key of `rates`.
    rates
        Operations a second of a matrix product, by precision.
    bandwidth
        Bytes a second of a copy, read and written.
    """
    computing = clips * operations(size) / rates[precision]
    moving = clips * moved(size) * BYTES[precision] / bandwidth
    return {"computing": computing, "moving": moving, "floor": max(computing, moving)}

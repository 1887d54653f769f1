"""Convolutions over time only, on windows of 3 s (Dieleman and Schrauwen 2014; Table 4: 0.882).

Source: "End-to-end learning for music audio", ICASSP 2014, the network on mel spectrograms. Its
text was not available. The structure is that of four public re-implementations, which agree; the
compression is that of the author's code of the same year; the optimizer is given from memory.

As in the source: windows of 3 s, whose scores are averaged over a clip; levels ln(1 + 10,000 P) of
the mel power P; 32 filters that span all mel bins and 8 frames, ReLU, max pooling over 4 frames;
the same once more over the 32 channels; a dense layer of 100 ReLUs; a dense layer with sigmoids.
Convolutions have no padding, and an incomplete last pool is left out. For 96 mel bins, 141 frames
and 50 tags these are 57,182 parameters, and the normalization of the mel bins adds 192. For 187
frames, with the 2 parameters of one normalization of all levels, they are 66,784, as in the
re-implementation of musicnn-training.

Decided here:

- The shared spectrograms take the place of the source's (16 kHz, 128 mel bins, window and hop of
  16 ms): 12 kHz, 96 mel bins, a hop of 21.3 ms. A window of 3 s has 141 frames. The levels are
  computed from dB inside the network.
- `input_norm: frequency` normalizes each mel bin, `channel` all levels together, as
  musicnn-training does. The source has none, as far as is known.
- Adam and an L2 penalty on the kernels, as in musicnn-training. Its penalty is 1e-5 times half the
  sum of squares, so `l2` is 5e-6. The source used, as far as is known, gradient descent with
  momentum 0.9 in batches of 10 windows for about a million updates, with a learning rate of 0.01
  that is lowered in steps, and no penalty.
- Weights begin as He et al. (2015) propose for ReLUs, as in musicnn-training.

Table 4 gives 0.882, the source's 0.8815 for window and hop of 256 samples; its network on waveforms
reached 0.8487. They were measured with folders 0 to b for training and the 50 most frequent tags,
so they are not comparable with merged tags and a random split. musicnn-training reports 0.8861 for
its re-implementation.
"""

from autotagging.common.errors import UserError

READS = "mel"
READS_DB = True
LENGTH, POOL = 8, 4  # frames of a convolution's kernel and of a pool; there are two of each
_SHORTEST = (POOL + LENGTH - 1) * POOL + LENGTH - 1


def check_conv1d(*, mel_bins: int, frames: int) -> None:
    """Raise a UserError if there are too few frames for two convolutions and pools."""
    if frames < _SHORTEST:
        raise UserError(f"conv1d takes {_SHORTEST} frames or more, not {frames}")

"""musicnn: filters for timbre and for rhythm (Pons and Serra 2019). Not in Table 4.

Source: "musicnn: pre-trained convolutional neural networks for music audio tagging" (2019), and its
training code, musicnn-training, model 11, after "End-to-end learning for music audio tagging at
scale" (Pons et al., ISMIR 2018). A reference of today.

As in the source: windows of 3 s, whose scores are averaged over a clip; one batch normalization of
all levels; timbral filters, 204 of 7 frames x 70 % and 204 of 7 frames x 40 % of the mel bins, and
temporal filters, 51 each of three lengths and one mel bin, each with ReLU, batch normalization and
the maximum over frequency; three convolutions over 7 frames with 64 filters, the second and third
with residual connections; the maximum and mean over time of the front end and of all three
(753 channels each); batch normalization, dropout 0.5, a dense layer of 200 ReLUs, batch
normalization, dropout 0.5, a dense layer with sigmoids. The ReLU comes before the normalization.

Decided here:

- The shared spectrograms take the place of the source's (16 kHz, 96 mel bins, a hop of 16 ms): 12
  kHz, the same number of mel bins, a hop of 21.3 ms. A window of 3 s has 141 frames, not 187. The
  lengths of the temporal filters, 128, 64 and 32 frames, become 96, 48 and 24, the same number of
  seconds; `temporal_frames` is the first. The timbral filters keep 7 frames.
- Levels are ln(1 + 10,000 P), computed from dB inside the network. The source has log10; the
  normalization of the input removes the factor.
- 258 of the source's 787,159 parameters are left out; with its filter lengths and 50 tags, 786,901
  remain. 256 have no effect in the source: its code defines normalizations of the second and third
  convolution, but adds the outputs before them. Two are the scale and offset of the input's
  normalization, which the filters' kernels and biases can express, but for the offset in frames
  where a filter reaches the padding (95 of 141 for the longest). Without them, no gradient of the
  input is computed, and training on a CPU takes less than half of the time.
- The L2 penalty on the kernels is 1e-5 times half the sum of squares in the source, so `l2` is
  5e-6.
- Adam with 1e-3 and 600 epochs of one random window of each clip, as in the source. It halved the
  learning rate whenever 75 epochs without a better validation loss had added up since the last
  change; here, it is a tenth after half and a hundredth after three quarters of the epochs.
- The best epoch has the lowest loss of the validation clips' averaged scores. The source averages
  the loss of windows, and adds the penalty.
- Momentum of the moving statistics: 0.99 in the source, an option here, because small corpora have
  few steps.

The source reports a ROC-AUC of 0.9067 with folders 0 to b for training and the 50 most frequent
tags, which is not comparable with merged tags and a random split. Won et al. (2020) report 0.9106
for another version, which averages over frequency before the temporal filters.
"""

from autotagging.common.errors import UserError

READS = "mel"
READS_DB = True


def check_musicnn(*, mel_bins: int, frames: int, temporal_frames: int) -> None:
    """Raise a UserError if a timbral filter has no height, or a temporal one under a frame."""
    if mel_bins < 3 or temporal_frames < 4:
        raise UserError(
            f"musicnn takes 3 mel bins and temporal_frames = 4 or more, not {mel_bins} and "
            f"{temporal_frames}"
        )

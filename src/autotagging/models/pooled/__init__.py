"""Six functions of the frames of a window, and a network on them (Hamel et al. 2011).

Source: Hamel, Lemieux, Bengio and Eck, "Temporal pooling and multiscale learning for automatic
annotation and ranking of music audio", ISMIR 2011. Its text was not available: this follows
notes of readers, and result tables that others copied.

As in the source: principal mel-spectrum components (`features: pmsc`), which are mel spectra
after PCA, scaled to unit variance; or mel spectra (`mel`); or 20 MFCCs with the zeroth (`mfcc`).
Mean, variance, maximum, minimum, third and fourth centred moment of each dimension over a window.
`pfc`, the pooled features classifier: each window is an example with the tags of its clip; a
hidden layer of 2000 sigmoids; sigmoid outputs, cross-entropy, L2 weight decay; a clip's score is
the mean over its windows. With 540 inputs and 50 tags it has 1,182,050 parameters; with the 720 of
the source (120 components) 1,542,050.

Decided here:

- The shared spectrograms take the place of the source's (22.05 kHz, window 1024, hop 512, 128 or
  256 triangular filters on amplitudes). 90 of 96 components are the source's 120 of 128.
- PCA is of the levels ln(1 + 10,000 P) of the power P (`log: true`) or of the amplitudes
  (`log: false`); what is known of the source mentions no logarithm. PCA is exact, over all frames
  of the training clips; the source took a random part. MFCCs are of the stored dB.
- Windows of `pfc` are 2.3 s long (108 frames) and do not overlap, 12 of a clip.
- The six functions are standardized by the training clips and clipped at 5 deviations, because
  the fourth moment has a long tail.
- Adam in place of gradient descent; the L2 penalty is on the kernels of all dense layers.
- The structure of `mtsl`, multi-time-scale learning. The source trains layers and poolings of two
  scales together; more is not known. Here, short windows of 16 frames (0.34 s) begin every 8
  frames; their six functions enter a layer of 500 sigmoids, the same for all; mean, maximum and
  variance of these over a long window of 220 frames (4.7 s), or a whole clip (`long_frames: null`),
  enter the hidden layer of `pfc`. All is trained together.

Table 4 calls this "pooling MFCC" and gives 0.861. That is the source's result with components, not
MFCCs, and `mtsl`; components with `pfc` had 0.845, mel spectra with `pfc` 0.820. MFCCs were the
weak baseline, with 0.77 in another of its tables, in which components had 0.876. These are means
over 160 tags of another edition of the data (MIREX 2009) and not comparable with merged tags and a
random split.
"""

from autotagging.common.errors import UserError

READS = "features"


def check_pooled(*, mel_bins: int, frames: int, features: str, components: int) -> None:
    """Raise a UserError if there are more components than mel bins."""
    if features == "pmsc" and components > mel_bins:
        raise UserError(f"components is {components}, and there are {mel_bins} mel bins")

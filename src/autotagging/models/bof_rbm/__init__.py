"""Deep bag of features (Nam, Herrera and Lee 2015), a row of the paper's Table 4.

Patches of eight frames are encoded by a sparse restricted Boltzmann machine (RBM) that is learnt
without tags. A clip's features are the maxima of its units over each second, averaged over the
clip. A network with three hidden layers, whose first weights are those of further RBMs, gives the
tags.

Followed, after the description of the authors' experiment: gain control, log10(1 + 10 amplitude),
patches of 8 frames, the sample of 200,000 patches at onsets, whitening by these patches, the RBMs
with their learning rates, momentum, weight cost and sparsity, encoding of every patch without
sampling, pooling, the network, its rates of dropout, and the choice of the epoch by the macro
ROC-AUC of the validation clips. The authors' code is under the GPL: nothing of it is ported.

Decided here:

- The input is the stored spectrogram (12 kHz, 96 mel bins, a patch of 171 ms), not 128 bins of
  audio at 22,050 Hz. Gain control and onsets use its bins; see `features.gain_control` for the
  floor.
- All clips give the same number of patches. Where that is more than one per second, the
  next-greatest onsets are taken too. The RBM of patches has at least 3,000 updates.
- An RBM's rows are shuffled once; in the source, those of patches are in random order, too, and
  those of clips in the order of its files. The running mean of the activations starts at those of
  the first batch; in the source it starts at 0.
- Maxima are over 1 s. The authors' scripts try 0.5 s to 8 s: the first one encodes with 1 s, the
  one that trains the network reads features of 2 s.
- The hidden layers start with the hidden biases of their RBMs, as the method describes. (The
  authors' script starts them with the visible biases of the next RBM.)
- The weight cost of the clips' RBMs is 0.001 in all three. The authors' scripts keep 0.001 in the
  first and try the six pairs of 0.001, 0.01 and 0.1 in the others that do not decrease.
- Dropout doubles what it keeps of hidden layers; in the source it doesn't, and their weights are
  halved for scoring, so that pre-trained layers start with half the activations.
- Fine-tuning uses the project's Adam, and cross-entropy averaged over tags; the source uses
  AdaDelta, and cross-entropy summed over tags.

Table 4 states a ROC-AUC of .888. It is of 160 tags of another edition of the data, with other
clips: it can't be compared with 50 tags of the public edition.
"""

from autotagging.common.errors import UserError

READS = "features"
"""Activations of the RBM of patches, pooled over the clip."""

_FEWEST_BINS = 3  # for the broad bands of the gain control


def check_bof_rbm(*, mel_bins: int, frames: int, agc: bool) -> None:
    """Raise a UserError if the gain control lacks bins for its bands."""
    if agc and mel_bins < _FEWEST_BINS:
        raise UserError(f"bof_rbm.agc needs {_FEWEST_BINS} mel bins; there are {mel_bins}")

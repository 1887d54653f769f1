"""The paper's model, a convolutional recurrent network that reads spectrograms (sec. II.C)."""

from autotagging.common.errors import UserError

READS = "mel"
TRAINING_OPTIONS = ("batch_norm_momentum", "pool_dropout", "output_dropout")


def check_crnn(*, mel_bins: int, frames: int, padded_frames: int) -> None:
    """Raise a UserError if the pools don't reduce the mel bins to 1, or the frames are too many."""
    if frames > padded_frames or not 96 <= mel_bins < 192 or padded_frames < 96:
        raise UserError(
            f"the CRNN takes 96 to 191 mel bins and up to padded_frames = {padded_frames} "
            f"frames, not {mel_bins} x {frames}"
        )

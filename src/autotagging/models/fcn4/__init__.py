"""FCN-4: four convolutions down to one position (Choi, Fazekas and Sandler 2016; Table 4: 0.894).

Source: "Automatic tagging using deep convolutional neural networks", ISMIR 2016; slides and code of
the first author; two public re-implementations.

As in the source: the input of 96 mel bins and 1366 frames, in dB; four blocks of convolution (3 x
3, same padding), batch normalization, ReLU, max pooling and dropout; 128, 384, 768 and 2048
filters; pools of 2 x 4, 4 x 5, 3 x 8 and 4 x 8 (mel bins x frames) without incomplete ones, which
leave one position; a dense layer with sigmoids. These are 17,365,938 parameters for 50 tags.

Decided here:

- The author's code squares the power once more before the logarithm, and cuts the result 80 dB
  below the clip's peak; the shared spectrograms are in dB of the power itself, unless
  `extract_mel.log_scale` is squared_power_db, and are not cut there.
- No source states a normalization of the input. `input_norm: frequency` normalizes the mel bins, as
  in the CRNN, so that both networks get the same input; it adds 192 parameters.
- Dropout is 0.5 after each pooling, as in the source. The author later called this too strong, and
  the numbers of filters larger than needed. `width` scales these numbers.
- Adam and binary cross-entropy are the source's, as far as is known. Its learning rate and its
  number of epochs are not: both are parameters.

Table 4 gives 0.894, as the source does. It was measured on the 50 most frequent tags, as far as is
known with folders 0 to b for training, so it is not comparable with merged tags and a random split.
The network named FCN in Won et al. (2020), 0.9005, is another one, with five layers and about
0.45 million parameters.
"""

from autotagging.common.errors import UserError

READS = "mel"


def check_fcn4(*, mel_bins: int, frames: int) -> None:
    """Raise a UserError if the pools don't reduce the input to one position."""
    if (mel_bins // 96, frames // 1280) != (1, 1):
        raise UserError(
            f"FCN-4 takes 96 to 191 mel bins and 1280 to 2559 frames, not {mel_bins} x {frames}"
        )

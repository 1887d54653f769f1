"""Sizes of spectrograms; imports no library, because the workflow reads them as well."""


def clip_samples(*, seconds: float, sample_rate: int) -> int:
    """Count the samples of every cropped or padded clip, rounded down: 349,440 in the paper.

    9.28 s at 12 kHz are 111,360 samples, although the product of floats is slightly below.
    """
    return int(round(seconds * sample_rate, 6))


def frame_count(*, seconds: float, sample_rate: int, hop_length: int) -> int:
    """Count the frames of a clip's spectrogram: 1366 in the paper."""
    return 1 + clip_samples(seconds=seconds, sample_rate=sample_rate) // hop_length

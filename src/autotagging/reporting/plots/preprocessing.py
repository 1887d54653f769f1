"""Figure of the stages of the front end on one clip (sec. II.B, Fig. 3)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autotagging.reporting.plots.style import BLUE, MEL_SCALES, PAGE, new_figure, styled


@styled
def figure_3(
    waveform: np.ndarray,
    stft: np.ndarray,
    mel: np.ndarray,
    *,
    sample_rate: int,
    hop_length: int,
    padded_frames: int,
    padding_side: str,
    padding_value: float,
    log_scale: str,
    caption: str = "",
) -> Figure:
    """Draw the stages of preprocessing of one clip, from waveform to the model's input.

    Parameters
    ----------
    waveform : float32, (samples,)
        Samples in the range -1 to 1.
    stft : float32, (1 + n_fft // 2, frames)
        Log power, in dB.
    mel : float32, (n_mels, frames)
        Log-mel spectrogram.
    sample_rate, hop_length
        Sampling rate in Hz, hop length in samples.
    padded_frames
        Frames of the model's input.
    padding_side, padding_value
        Side of the added frames ("both", "end" or "start") and their value.
    log_scale
        Log scale of `mel`, a key of `MEL_SCALES`.
    caption
        Clip, corpus, split and model.
    """
    figure = new_figure(PAGE, 4.6, caption)
    (wave, spectrum), (bands, padded) = figure.subplots(2, 2)
    seconds = len(waveform) / sample_rate
    _waveform(wave, waveform, seconds)
    wave.set_title(f"(a) waveform at {sample_rate / 1000:g} kHz")
    spectrum.set_title(f"(b) log power STFT, {stft.shape[0]} x {stft.shape[1]}")
    spectrum.set(xlabel="time (s)", ylabel="frequency (kHz)")
    _spectrogram(spectrum, stft, (0, seconds, 0, sample_rate / 2000), "power_db")
    bands.set_title(f"(c) log-mel, {mel.shape[0]} x {mel.shape[1]}")
    bands.set(xlabel="time (s)", ylabel="mel bin")
    _spectrogram(bands, mel, (0, seconds, 0, mel.shape[0]), log_scale)
    added = padded_frames - mel.shape[1]
    left = {"both": added // 2, "end": 0, "start": added}[padding_side]
    right = added - left
    zero = "zero-padded" if padding_value == 0 else "padded"
    padded.set_title(f"(d) {zero} in the model, {mel.shape[0]} x {padded_frames}")
    padded.set(ylabel="mel bin")
    of = "zeros" if padding_value == 0 else f"{padding_value:g}"
    padded.set_xlabel(f"frame ({hop_length} samples); hatched: {left} + {right} frames of {of}")
    _spectrogram(padded, mel, (left, left + mel.shape[1], 0, mel.shape[0]), log_scale)
    for start, stop in ((0, left), (left + mel.shape[1], padded_frames)):
        padded.axvspan(start, stop, facecolor="white", edgecolor="black", hatch="/////", lw=0.5)
    padded.set_xlim(0, padded_frames)
    return figure


def _waveform(axes: Axes, waveform: np.ndarray, seconds: float) -> None:
    """Draw the range of a waveform in 1,000 segments, which is as fine as the figure shows."""
    stretches = np.array_split(waveform, min(1000, len(waveform)))
    time = np.linspace(0, seconds, len(stretches))
    low = [stretch.min() for stretch in stretches]
    high = [stretch.max() for stretch in stretches]
    axes.fill_between(time, low, high, color=BLUE, linewidth=0.3)
    axes.set(xlim=(0, seconds), xlabel="time (s)", ylabel="amplitude (full scale = 1)")


def _spectrogram(axes: Axes, levels: np.ndarray, extent: tuple[float, ...], log_scale: str) -> None:
    label, span = MEL_SCALES[log_scale]
    top = float(levels.max())
    image = axes.imshow(
        levels,
        origin="lower",
        aspect="auto",
        extent=extent,
        vmin=top - span,
        vmax=top,
        interpolation="antialiased",
    )
    axes.grid(visible=False)
    axes.figure.colorbar(image, ax=axes, label=label, pad=0.02, aspect=25, extend="min")

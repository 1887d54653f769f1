"""Fig. 3 of the paper (sec. II.B): from a waveform to the input of the model."""

import numpy as np

from autotagging.reporting.architecture import padded_frames
from autotagging.reporting.captions import run_caption
from autotagging.reporting.clips import read_clip
from autotagging.reporting.inputs import read_model
from autotagging.reporting.plots.preprocessing import figure_3 as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.steps.figures import flags


def figure_3(
    *,
    download: flags.Download,
    split: flags.Split,
    model_json: flags.ModelJson,
    clip_id: flags.FirstClip = None,
    figure_files: flags.Figure,
) -> None:
    """Fig. 3: preprocessing of a clip."""
    import librosa  # takes longer than most figures

    from autotagging.corpus.decoding import fit_length
    from autotagging.mel import spectrogram
    from autotagging.mel.sizes import clip_samples

    model = read_model(model_json)
    front_end = model["front_end"]
    options = model.get("options", {})
    rate, hop = front_end["sample_rate"], front_end["hop_length"]
    clip, waveform = read_clip(download, split, clip_id, sample_rate=rate)
    samples = clip_samples(seconds=front_end["seconds"], sample_rate=rate)
    waveform = fit_length(waveform, samples)
    spectrum = librosa.stft(waveform, n_fft=front_end["n_fft"], hop_length=hop)
    figure = draw(
        waveform,
        librosa.power_to_db(np.abs(spectrum) ** 2, ref=1.0, amin=1e-10, top_db=None),
        spectrogram.log_mel(
            waveform,
            sample_rate=rate,
            n_fft=front_end["n_fft"],
            hop_length=hop,
            n_mels=front_end["n_mels"],
            log_scale=front_end["log_scale"],
        ),
        sample_rate=rate,
        hop_length=hop,
        padded_frames=padded_frames(model["architecture"]),
        padding_side=options.get("padding_side", "both"),
        padding_value=options.get("padding_value", 0.0),
        log_scale=front_end["log_scale"],
        caption=f"clip {clip['clip_id']} ({clip['mp3_path']}). {run_caption([model])}",
    )
    save_figure(figure, figure_files)

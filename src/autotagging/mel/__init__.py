"""Log-mel spectrograms of waveforms, and the shards that store them (sec. II.B, Table 1)."""

from autotagging.mel.spectrogram import log_mel

__all__ = ["log_mel"]

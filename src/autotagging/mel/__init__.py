"""Waveform to log-mel spectrogram, and the shards that hold them (sec. II.B, Table 1)."""

from autotagging.mel.spectrogram import log_mel

__all__ = ["log_mel"]

"""Log-mel spectrograms of waveforms, and the shards that store them (sec. II.B, Table 1)."""

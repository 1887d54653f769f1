"""The paper's model, a convolutional recurrent network: spectrograms in (sec. II.C)."""

READS = "mel"

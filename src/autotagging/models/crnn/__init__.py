"""The paper's model, a convolutional recurrent network that reads spectrograms (sec. II.C)."""

READS = "mel"

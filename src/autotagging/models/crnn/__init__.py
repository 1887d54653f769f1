"""The paper's model, a convolutional recurrent network that reads spectrograms (sec. II.C)."""

READS = "mel"
TRAINING_OPTIONS = ("batch_norm_momentum", "pool_dropout", "output_dropout")

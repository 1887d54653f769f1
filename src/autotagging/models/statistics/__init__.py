"""A floor for deep models: logistic regression on the mean and deviation of each mel bin.

It is not in the paper's Table 4. A deep model that does not beat it has learnt nothing about the
course of the music; one that is not better by much may still be a good one on a small corpus.
The features are those of the shared front end, in dB: for each mel bin the mean and the standard
deviation over a clip's frames, standardized by the training clips and clipped at 5 deviations.
scikit-learn fits a regression with an L2 penalty for each tag; `strength` is its weight relative to
the mean log-loss.
"""

READS = "features"

"""Features learnt on several time scales without labels: Dieleman and Schrauwen 2013 (Table 4).

Source: "Multiscale approaches to music audio feature learning", ISMIR 2013. Its text was not
available: this follows its figures, reviews of it, and code of the same author.

Followed: a Laplacian or Gaussian pyramid in time, or spectra of several resolutions at the same
hop; PCA whitening per level, 99 % of the variance; spherical k-means per level on single frames,
linear encoding, and the maximum over windows; a network with one hidden layer on all levels'
maxima, trained by cross-entropy.

Decided here: the shared spectrograms, compressed to ln(1 + 10,000 power) before the pyramid; the
kernel [1 4 6 4 1] / 16; 6 levels of 500 means, learnt from at most 200,000 frames each; the
regularization of the whitening; windows of 141 frames (3 s), each of them a training example with
the clip's tags, whose scores are averaged; standardized features, clipped at 5 deviations; 1000
rectified units with dropout 0.5; Adam. "multiresolution" averages the power of successive frames
and so keeps the short window's resolution in frequency: the source computes longer windows.

The paper's Table 4 prints .898, which is the Laplacian pyramid; its spectra of several resolutions
have .888. Both were measured on another split.
"""

READS = "features"
"""Maxima of a linear encoding on several time scales, and a network on them."""

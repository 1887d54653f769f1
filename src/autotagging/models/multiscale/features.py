"""Maxima over windows of k-means features on several time scales."""

from autotagging.features.codebook import fit_codebook, multiply_adds, window_maxima
from autotagging.features.standardize import fit_scale, scaled

fit_multiscale = fit_codebook
encode_multiscale = window_maxima
fit_encoded_multiscale = fit_scale
finish_multiscale = scaled
multiply_adds_multiscale = multiply_adds

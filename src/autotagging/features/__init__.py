"""Features fitted on the training clips without labels: whitening, k-means, RBMs, pooling."""

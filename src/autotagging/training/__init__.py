"""Training of a network: settings, loop, checkpoints, devices, precision, metrics of an epoch."""

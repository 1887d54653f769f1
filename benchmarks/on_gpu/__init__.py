"""Parts of `benchmarks/gpu.py`: rows, the processes that measure them, and the tables."""

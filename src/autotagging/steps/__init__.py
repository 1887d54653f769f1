"""The steps of the pipeline: files in, files out. They know neither Snakemake nor DVC."""

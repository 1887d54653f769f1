"""The steps of the pipeline, from files to files, independent of Snakemake and DVC."""

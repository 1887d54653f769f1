"""The data set on disk: paths, tables, raw tag names, audio, download (sec. II.A)."""

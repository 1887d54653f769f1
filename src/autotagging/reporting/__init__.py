"""Results for readers: plots, tables, captions, the first page of the report."""

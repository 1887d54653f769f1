"""What was measured, for people: plots, tables, captions, the first page of the report."""

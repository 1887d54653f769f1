"""The contents of the tables, and how a table is written: data in, DataFrame out."""

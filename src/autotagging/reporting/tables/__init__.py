"""Contents of the tables (data in, DataFrame out), and their files."""

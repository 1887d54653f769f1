"""Features that are learnt, and their parts (Table 4): NumPy only."""

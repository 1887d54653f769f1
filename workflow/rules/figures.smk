rule figures:

"""models/crnn."""

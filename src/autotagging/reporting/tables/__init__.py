"""Tables for readers and for papers."""

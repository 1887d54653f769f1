"""A person's own audio and tags, made a corpus in MagnaTagATune's format."""

"""Code that all steps share: errors, files, parameters, progress, memory."""

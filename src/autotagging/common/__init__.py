"""What every step needs: errors, files, parameters, progress, memory."""

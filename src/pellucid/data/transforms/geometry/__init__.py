"""Where the pixels are: labels move along."""

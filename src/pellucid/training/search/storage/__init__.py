"""Where trials are written down, so that a kill loses nothing and several processes share one search."""

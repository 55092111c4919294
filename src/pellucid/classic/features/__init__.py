"""Hand-made features: from a picture to a vector."""

"""Filtering pictures: convolution, smoothing, derivatives, noise and its removal, banks of filters."""

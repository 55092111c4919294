"""Augmentation written down as a list of steps. Imports no torch."""

"""Noise in training that torch lacks."""

"""Averages of the weights along a run, and copies of them on the way."""

"""Weights that others have published: what they are, how their files are read, and what does not fit."""

"""Noise in training that is averaged out in use: dropout and its relatives."""

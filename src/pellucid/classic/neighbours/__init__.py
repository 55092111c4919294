"""Nearest neighbours, exact and fast."""

"""Runs beside each other: ensembles, soups, the ladder from pixels to deep nets."""

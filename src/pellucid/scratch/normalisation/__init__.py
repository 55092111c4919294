"""Normalisation: which numbers share a mean and a variance."""

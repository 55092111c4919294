"""Choosing hyperparameters: cross-validation and searches."""

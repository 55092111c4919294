"""Losses and penalties: a number to make small, and its gradient."""

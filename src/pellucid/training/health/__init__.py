"""Checks that ride along with training, at next to no cost."""

"""Norms that torch lacks."""

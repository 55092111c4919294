"""Pooling and its way back."""

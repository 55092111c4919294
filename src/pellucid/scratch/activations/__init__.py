"""Activation functions: one file each, with the derivative by hand."""

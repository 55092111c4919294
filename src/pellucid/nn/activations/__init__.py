"""Activations that torch lacks, or that networks here share."""

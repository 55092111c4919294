"""Attention and the blocks of the Transformer."""

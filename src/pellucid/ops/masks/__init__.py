"""Masks in fewer words: runs and outlines, and back to pixels."""

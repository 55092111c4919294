"""Searching for architectures: a space of cells, two ways to search it, and a journal of what was tried."""

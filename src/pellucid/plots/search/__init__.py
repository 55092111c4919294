"""Drawings of a search: candidates as lines across their settings, and the score against each of them."""

"""Whole networks of these layers, and the solver that trains them."""

"""Optimisers that use curvature, whole or guessed: Newton, Gauss-Newton, L-BFGS."""

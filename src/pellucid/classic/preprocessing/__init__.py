"""Estimators that prepare vectors: centring, scaling, rotating, whitening, encoding."""

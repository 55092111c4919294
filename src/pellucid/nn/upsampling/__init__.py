"""Layers that make feature maps larger, without guessing by blurring."""

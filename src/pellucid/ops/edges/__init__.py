"""Edges of pictures: gradients, Canny, connected components."""

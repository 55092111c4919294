"""Average precision and what stands behind it, from boxes, scores and classes. NumPy in, NumPy out."""

"""The affine layer, the layers that act step by step, and the sandwiches made of several."""

"""A computational graph: nodes with forward() and backward(), and a drawing of it."""

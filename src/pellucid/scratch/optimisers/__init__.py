"""Ways to walk downhill: a rule turns weights, gradient and memory into new weights."""

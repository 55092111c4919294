"""Features of regions: each box of a map brought to one size."""

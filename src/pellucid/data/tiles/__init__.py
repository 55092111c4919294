"""Pictures that are larger than a network's input, seen tile by tile at the scale that it knows."""

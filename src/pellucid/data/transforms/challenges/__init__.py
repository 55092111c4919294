"""Changes of one kind at a stated strength, to measure how much of each a model bears."""

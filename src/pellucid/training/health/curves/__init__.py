"""Read the curves of a run as a teacher does: the rate, the start, the fit, and the place to cut the rate."""

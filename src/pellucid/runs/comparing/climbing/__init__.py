"""The parts of the ladder: its rungs, what they cost, what was spent, and what they reach."""

"""The monitor that rides along with training: looks at every k-th step, and says what is wrong, why and what to do."""

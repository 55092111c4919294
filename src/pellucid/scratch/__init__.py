"""Every formula of the course by hand, in NumPy alone."""

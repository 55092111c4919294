"""What annotations of things say: whether boxes lie where things can be, and how often each class occurs."""

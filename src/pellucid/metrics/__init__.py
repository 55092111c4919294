"""Pure functions from outputs and truth to numbers."""

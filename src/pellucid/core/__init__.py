"""The words everything shares. Imports nothing else of the package, and torch only in `seed` and `device`."""

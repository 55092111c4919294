"""Data sets written to folders, as the readers read them."""

"""Starting from weights that others trained."""

"""The elementary functions, each with its derivative by hand."""

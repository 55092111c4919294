"""Pictures of what is done to data and runs."""

"""What can be asked of one network: by name, of a run, or from somebody's own file."""

"""What the pixels look like: labels stay, but where nothing is to be seen."""

"""Two pictures in one: both labels count, each for its share."""

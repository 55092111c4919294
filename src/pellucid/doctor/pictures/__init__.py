"""Single pictures that differ from the rest of their set: unreadable, odd in size, dark, bright, blurred, uniform."""

"""Regions that may hold a thing, proposed without knowing what a thing is."""

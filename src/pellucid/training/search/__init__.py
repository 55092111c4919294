"""Searching settings: what is searched, how it is drawn, in which stages, and what the results say. No torch."""

"""Searching the settings of a task: trials that are trained, the folder they lie in, and what they say together."""

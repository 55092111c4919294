"""Checks that a user asks for, or that a run makes: data, a job before it is trained, and what came of it."""

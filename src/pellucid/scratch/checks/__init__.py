"""Measuring tools: numerical derivatives, gradient checks, curvature, activation statistics."""

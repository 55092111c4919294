"""Data that travels inside the package, each file beside its licence and its reader."""

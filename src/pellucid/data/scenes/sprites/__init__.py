"""What is drawn into scenes: cut-outs, and the names of their classes."""

"""The self-contained page: blocks in, HTML out."""

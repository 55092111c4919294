"""What fits into memory: batches in parts, and going on in smaller ones when memory ends."""

"""What labels and masks say: how often each class occurs, whether the numbers mean classes, whether they are right."""

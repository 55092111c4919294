"""What lies between a backbone and the heads of a detector."""

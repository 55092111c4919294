"""Pure functions on tensors that models, losses and data share."""

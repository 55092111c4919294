"""Up-sampling by looking between the pixels."""

"""From one network to another of the same outputs: convolutional, folded, fast."""

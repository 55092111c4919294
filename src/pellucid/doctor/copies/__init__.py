"""Pictures that occur more than once: equal to the bit, or nearly; inside a split, and across splits."""

"""What differs between training, validation and test, and what must not be on two of them."""

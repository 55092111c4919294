"""Which learning rate: what a few real steps say of one, and how to find one."""

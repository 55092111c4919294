"""Many small pictures with something to say of each."""

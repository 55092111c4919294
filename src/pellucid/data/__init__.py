"""From files to batches: readers, named sets, splits, pack, loader, transforms."""

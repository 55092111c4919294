"""One thin file a verb: it reads arguments, calls `runs`, prints."""

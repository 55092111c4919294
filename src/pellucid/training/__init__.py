"""The loop and its craft. It knows no task and no key of a batch."""

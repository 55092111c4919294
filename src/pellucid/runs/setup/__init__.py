"""From what was asked for to a job that can be trained, and from a trained job to a finished folder."""

"""The public operations: train, evaluate, predict, verify, report, and the folder they share."""

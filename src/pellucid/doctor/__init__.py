"""What is wrong with the data, in verdicts: rule, evidence, cause, cure."""

"""The sections of the report that only a detector has."""

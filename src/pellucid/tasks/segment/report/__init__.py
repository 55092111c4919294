"""The sections of the report that only a segmenter has."""

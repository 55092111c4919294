"""Boxes as four numbers in the last dimension: forms, overlap, coding, suppression."""

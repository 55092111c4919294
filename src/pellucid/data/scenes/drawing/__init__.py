"""Drawing with whole numbers: resizing, turning, pasting, shadows and light."""

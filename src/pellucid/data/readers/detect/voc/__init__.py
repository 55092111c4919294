"""Parts of reading Pascal VOC: one annotation, and the outlines of its things."""

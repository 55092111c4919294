"""From a trained segmenter and pictures of any size to masks, probabilities, regions and drawings."""

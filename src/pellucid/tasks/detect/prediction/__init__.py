"""From a trained detector and pictures of any size to boxes, outlines, keypoints and drawings."""

"""Detection: where is which thing? With outlines and keypoints, where the network has heads for them."""

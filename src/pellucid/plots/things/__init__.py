"""Things in pictures: boxes, instances and keypoints, drawn so that they can be told apart and their names be read."""

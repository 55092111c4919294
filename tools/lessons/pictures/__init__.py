"""One picture a lesson: name of the subject -> function that draws an SVG."""

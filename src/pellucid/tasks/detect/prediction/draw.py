"""What a detector found, drawn on the picture."""

from PIL import Image

from pellucid.plots.things.boxes import draw_boxes
from pellucid.tasks.detect.prediction.result import DetectResult


def draw(image: Image.Image, result: DetectResult) -> Image.Image:
    """The picture (its shorter side at least 256 px) with a box around each thing, its class and its score."""
    return draw_boxes(image, result.boxes_xyxy, result.labels, result.classes, result.scores)

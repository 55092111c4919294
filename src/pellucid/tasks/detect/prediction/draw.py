"""What a detector found, drawn on the picture."""

from PIL import Image

from pellucid.plots.things.found import draw_found
from pellucid.tasks.detect.prediction.result import DetectResult


def draw(image: Image.Image, result: DetectResult) -> Image.Image:
    """The picture with outline, box, joints, class and score of each thing.

    Its shorter side is at least 256 px, but where it is very thin.
    """
    return draw_found(
        image, result.boxes_xyxy, result.labels, result.classes, result.scores, result.masks, result.keypoints
    )

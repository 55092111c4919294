"""Scenes with what they are lessons for, side by side: one class, a mask, boxes, instances, keypoints, a caption."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pellucid.core.files import write_atomic
from pellucid.data.scenes import labels
from pellucid.data.scenes.frozen import scene_of
from pellucid.data.scenes.options import Options
from pellucid.data.scenes.scene import Scene
from pellucid.data.scenes.sentences import caption
from pellucid.data.scenes.sprites.kinds import catalogue
from pellucid.data.source import ROLES
from pellucid.plots.overlay import legend, outline_mask, overlay_mask
from pellucid.plots.palette import palette
from pellucid.plots.things.boxes import draw_boxes, draw_keypoints
from pellucid.plots.things.canvas import canvas
from pellucid.plots.things.instances import draw_instances

SCENES = 3  # in a picture
PAD, LETTERS, SMALL = 8, 15, 12
INK, SOFT = (24, 28, 34), (105, 112, 122)
TWO = np.array([[0, 0, 0], [230, 159, 0], [40, 44, 52]], dtype=np.uint8)  # colours of foreground 1 and background 2


def picture_scenes(options: Options, path: Path) -> list[dict[str, str]]:
    """Draw the first scenes of a frozen set with all their labels into one PNG.

    Returns:
        of each scene its name and its caption in both languages.

    Raises:
        DataError: the sprites are not on this machine.
        WriteError: the file cannot be written.
    """
    kind = catalogue(options.sprites)
    numbers = [(role, i) for role in ROLES for i in range(getattr(options, role))][:SCENES]
    scenes = [scene_of(options, role, i) for role, i in numbers]
    sheet = lessons(scenes, kind.classes)
    write_atomic(path, lambda file: sheet.save(file, format="PNG"))
    words = [caption(scene, kind.classes, kind.chinese) for scene in scenes]
    return [
        {"scene": f"{role}/{i}", "English": english, "Chinese": chinese}
        for (role, i), (english, chinese) in zip(numbers, words, strict=True)
    ]


def lessons(scenes: Sequence[Scene], classes: Sequence[str]) -> Image.Image:
    """A row for each scene: what a network for each of the tasks is to say of it."""
    rows = [cells(scene, classes) for scene in scenes]
    wide = max(image.width for row in rows for _, image in row)
    big, small = ImageFont.load_default(LETTERS), ImageFont.load_default(SMALL)
    heights = [max(image.height for _, image in row) + LETTERS + SMALL + 4 * PAD for row in rows]
    sheet = Image.new("RGB", (PAD + max(map(len, rows)) * (wide + PAD), PAD + sum(heights)), "white")
    draw, top = ImageDraw.Draw(sheet), PAD
    for scene, row, tall in zip(scenes, rows, heights, strict=True):
        draw.text((PAD, top), caption(scene, classes)[0], fill=INK, font=big)
        for k, (title, image) in enumerate(row):
            left = PAD + k * (wide + PAD)
            draw.text((left, top + LETTERS + PAD), title, fill=SOFT, font=small)
            sheet.paste(image, (left, top + LETTERS + SMALL + 2 * PAD))
        top += tall
    return sheet


def cells(scene: Scene, classes: Sequence[str]) -> list[tuple[str, Image.Image]]:
    """The drawings of one scene, each with its title."""
    found, ids = labels.objects(scene), labels.instance_ids(scene)
    plain, colours = canvas(scene.image), palette(len(classes) + 1)[1:]  # of masks, in which 0 is background
    # A class is asked of a picture that shows one thing: of others, it is that of the largest.
    label = classes[labels.class_label(scene)] if len(found) else "none"
    keypoints = np.zeros((0, 1, 3)) if found.keypoints is None else found.keypoints
    return [
        (f"classification: {label}", plain.image),
        ("foreground 1, background 2", _regions(scene, labels.foreground_mask(scene), TWO, (), ("", "1", "2"))),
        (
            "semantic segmentation",
            _regions(scene, labels.semantic_mask(scene), palette(len(classes) + 1), (0,), ("", *classes)),
        ),
        ("detection", draw_boxes(scene.image, found.boxes_xyxy, found.labels, classes, colours=colours)),
        ("instance segmentation", draw_instances(scene.image, ids, found.labels, classes)),
        ("keypoints: full seen, ring hidden", draw_keypoints(scene.image, keypoints, found.labels, classes, colours)),
    ]


def _regions(
    scene: Scene, mask: np.ndarray, colours: np.ndarray, clear: tuple[int, ...], names: Sequence[str]
) -> Image.Image:
    """A mask over the scene, with the names of what is in it below."""
    on = canvas(scene.image)
    large = mask.repeat(on.factor, axis=0).repeat(on.factor, axis=1)
    tinted = overlay_mask(on.image, large, colours, alpha=0.6, clear=clear)
    shown = outline_mask(tinted, large, colours, clear=clear, width=on.line)
    present = [value for value in np.unique(mask).tolist() if value not in clear]
    if not present:
        return shown
    key = legend([names[value] for value in present], colours[present], SMALL)
    both = Image.new("RGB", (max(shown.width, key.width), shown.height + key.height), "white")
    both.paste(shown)
    both.paste(key, (0, shown.height))
    return both

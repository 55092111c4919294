"""Frozen scenes written to a folder, with any of the labels that follow from them."""

import json
from pathlib import Path

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.files import append_line
from pellucid.core.progress import Progress, Quiet
from pellucid.data.readers.object_lines import object_line
from pellucid.data.scenes import labels
from pellucid.data.scenes.frozen import scene_of
from pellucid.data.scenes.options import Options
from pellucid.data.scenes.scene import Scene
from pellucid.data.scenes.sentences import caption, sentences
from pellucid.data.scenes.sprites.cutouts import Catalogue
from pellucid.data.scenes.sprites.kinds import catalogue
from pellucid.data.source import ROLES, Role
from pellucid.data.writers.class_folder import cut_out, folder_names
from pellucid.data.writers.mask_folder import mask_colours, write_classes
from pellucid.data.writers.new_folder import new_folder, write_mask, write_picture
from pellucid.plots.palette import palette

FORMS = {
    "masks": "images/ and masks/ with the class of every pixel, and classes.txt",
    "foreground": "images/ and masks/ in which things are 1 and the rest is 2, and classes.json",
    "classes": "class folders, of pictures that one thing fills; of other scenes every thing is cut out",
    "everything": "as masks, and foreground/, instances/, objects.jsonl (boxes, masks, keypoints) and captions.jsonl",
}
CLEAR = 0.5  # share of a thing that must be seen for it to be cut out


def write_scenes(options: Options, folder: Path, form: str = "", progress: Progress | None = None) -> None:
    """Draw a frozen set once more, straight into a new folder.

    Args:
        options: which scenes.
        form: a key of `FORMS`; "" is classes for pictures that one thing fills, else masks.

    Raises:
        ConfigError: an unknown form.
        DataError: `folder` is not empty, or the sprites are not on this machine.
        WriteError: the place cannot be written.
    """
    form = form or ("classes" if options.purpose == "classify" else "masks")
    choose(form, FORMS, "form")
    kind = catalogue(options.sprites)
    numbers: list[tuple[Role, int]] = [(role, i) for role in ROLES for i in range(getattr(options, role))]
    progress = progress or Quiet()
    with new_folder(folder) as place, progress.bar("drawing and writing scenes", len(numbers)) as advance:
        if form == "classes":
            for done, (role, i) in enumerate(numbers, start=1):
                write_things(
                    scene_of(options, role, i), options.purpose, place / role, str(i), folder_names(kind.classes)
                )
                advance(done)
            return
        classes = {1: "foreground", 2: "background"} if form == "foreground" else dict(enumerate(_named(kind)))
        write_classes(place, classes)
        for done, (role, i) in enumerate(numbers, start=1):
            write_labels(scene_of(options, role, i), form, place, f"{role}/{i}.png", kind)
            advance(done)


def write_things(scene: Scene, purpose: str, place: Path, stem: str, names: list[str]) -> None:
    """The things of one scene below the folders of their classes, whole pictures for `classify`, else cut out."""
    if purpose == "classify":
        write_picture(place / names[scene.things[0].label] / f"{stem}.png", scene.image)
        return
    found, pixels = labels.objects(scene), labels.pixels(scene)
    for row, thing in enumerate(labels.seen(scene)):
        if pixels[thing] >= CLEAR * scene.things[thing].area:
            crop = cut_out(scene.image, found.boxes_xyxy[row].tolist())
            write_picture(place / names[found.labels[row]] / f"{stem}-{row + 1}.png", crop)


def write_labels(scene: Scene, form: str, place: Path, name: str, kind: Catalogue) -> None:
    """One scene as a picture with its mask, and with all else for `everything`."""
    write_picture(place / "images" / name, scene.image)
    two = np.array([[0, 0, 0], [255, 255, 255], [90, 90, 90]], dtype=np.uint8)  # colours of no value, 1 and 2
    if form == "foreground":
        write_mask(place / "masks" / name, labels.foreground_mask(scene), two)
        return
    write_mask(place / "masks" / name, labels.semantic_mask(scene), mask_colours(_named(kind)))
    if form == "everything":
        write_mask(place / "foreground" / name, labels.foreground_mask(scene), two)
        each = np.concatenate([np.zeros((1, 3), dtype=np.uint8), palette(255)])
        write_mask(place / "instances" / name, labels.instance_ids(scene), each)
        append_line(place / "objects.jsonl", object_line(f"images/{name}", labels.objects(scene), kind.classes))
        append_line(place / "captions.jsonl", json.dumps(_words(scene, name, kind), ensure_ascii=False))


def _words(scene: Scene, name: str, kind: Catalogue) -> dict[str, object]:
    english, chinese = caption(scene, kind.classes, kind.chinese)
    told = sentences(scene, kind.classes, kind.chinese, n=5, seed=int(Path(name).stem))
    return {
        "image": f"images/{name}",
        "english": english,
        "chinese": chinese,
        "sentences": [{"english": one.english, "chinese": one.chinese} for one in told],
    }


def _named(kind: Catalogue) -> tuple[str, ...]:
    """The classes of the masks."""
    return ("background", *kind.classes)

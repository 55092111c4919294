"""The things of many pictures in one file: a line of JSON for each picture."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pellucid.core.errors import DataError
from pellucid.data.objects import Objects


def object_line(image: str, objects: Objects, classes: Sequence[str]) -> str:
    """One line: the picture's path, the name of each thing's class, and what else is known of it."""
    content = objects.as_dict()
    labels = content.pop("labels")
    return json.dumps({"image": image, "classes": [classes[label] for label in labels], **content}, ensure_ascii=False)


def read_object_lines(path: Path, images: Iterable[str], classes: Sequence[str]) -> list[Objects]:
    """The things of each picture, in the order of `images`.

    Args:
        images: what pictures are called in the file: paths below its folder, as readers name them.
        classes: names; a thing's label is the place of its class in them.

    Raises:
        DataError: the file is missing or damaged, or lacks a picture; or a class is unknown. The message names the
            line.
    """
    number = {name: i for i, name in enumerate(classes)}
    found: dict[str, Objects] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    for i, line in enumerate(lines, start=1):
        try:
            content = json.loads(line)
            labels = [number[name] for name in content.pop("classes")]
            found[content.pop("image")] = Objects.from_dict({**content, "labels": labels})
        except KeyError as error:
            raise DataError(f"{path}, line {i}: there is no class or field {error}.") from None
        except (AttributeError, TypeError, ValueError) as error:
            raise DataError(f"{path}, line {i}: {error}") from error
    images = list(images)
    missing = [image for image in images if image not in found]
    if missing:
        raise DataError(f"{path} says nothing of {missing[0]}{f' and {len(missing) - 1} more' if missing[1:] else ''}.")
    return [found[image] for image in images]

"""The results of many pictures in one file, as COCO's evaluation reads them."""

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from pellucid.core.errors import DataError
from pellucid.core.facts import DataFacts
from pellucid.data.image_file import printable
from pellucid.models.published.classes import NEVER_DRAWN
from pellucid.tasks.detect.prediction.result import FIRST_ID, DetectResult
from pellucid.tasks.detect.prediction.wishes import DetectWishes

RESULTS, IMAGES = "results.json", "images.json"


class CocoResults:
    """Takes results one by one, for `results.json` (https://cocodataset.org/#format-results).

    Pictures are numbered from 1 in the order they come, and categories have the ids of the COCO files that the model
    was trained on, or else class k is category k + 1: `images.json` says so in the form of a COCO file without
    annotations. With `wishes.coco` all ids are those of that file instead.

    Boxes and outlines stand in one entry. Those who evaluate outlines by COCO's sizes take the boxes out first, since
    its reader takes the size from them where they are.

    Raises:
        DataError: that file cannot be read, is no COCO file, or does not name a class of the model.
    """

    def __init__(self, wishes: DetectWishes, facts: DataFacts) -> None:
        self.path = wishes.coco
        self.known = _read(Path(self.path)) if self.path else None
        self.category_ids = list(facts.category_ids or range(FIRST_ID, FIRST_ID + facts.n_classes))
        self.categories = [{"id": k, "name": name} for k, name in zip(self.category_ids, facts.classes, strict=True)]
        self.images: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        if self.known is not None:
            never_drawn = {
                name: k for name, k in zip(facts.classes, self.category_ids, strict=True) if name in NEVER_DRAWN
            }
            named = {printable(str(each["name"]).strip()): each["id"] for each in self.known["categories"]}  # as read
            by_name = never_drawn | named
            strange = [name for name in facts.classes if name not in by_name]
            if strange:
                raise DataError(f"{self.path} has no category {strange[0]!r}, a class of this model. Leave coco out.")
            self.category_ids = [by_name[name] for name in facts.classes]
            self.ids: dict[str, list[tuple[PurePosixPath, Any]]] = {}
            for image in self.known["images"]:
                path = _as_path(image["file_name"])
                self.ids.setdefault(path.name, []).append((path, image["id"]))

    def expect(self, names: Iterable[str]) -> None:
        """Say before the first of many pictures is predicted that one has no id.

        Args:
            names: of the pictures, as their results will have them.

        Raises:
            DataError: the file of `wishes.coco` does not name one of them.
        """
        for name in names if self.known is not None else ():
            self._id_of(name)

    def add(self, result: DetectResult) -> None:
        """One picture more.

        Raises:
            DataError: the file of `wishes.coco` does not name it.
        """
        if self.known is None:
            number: Any = len(self.images) + FIRST_ID
            size = {"height": result.size[0], "width": result.size[1]}
            self.images.append({"id": number, "file_name": result.name, **size})
        else:
            number = self._id_of(result.name)
        self.entries += result.coco_results(number, self.category_ids)

    def files(self) -> dict[str, bytes]:
        """Name -> content."""
        files = {RESULTS: json.dumps(self.entries).encode()}
        if self.known is None:
            about = {"images": self.images, "categories": self.categories, "annotations": []}
            files[IMAGES] = json.dumps(about).encode()
        return files

    def _id_of(self, name: str) -> Any:
        """Of the picture whose name ends as this one does; of the longest such name, where there are several."""
        path = _as_path(name)
        fitting = [
            (len(each.parts), number)
            for each, number in self.ids.get(path.name, ())
            if path.parts[-len(each.parts) :] == each.parts
        ]
        if not fitting:
            raise DataError(
                f"{self.path} has no picture {name}, so it has no id for it. Leave that picture or coco out."
            )
        return max(fitting, key=lambda each: each[0])[1]


def _as_path(name: object) -> PurePosixPath:
    """Also of names that were written on Windows."""
    return PurePosixPath(str(name).replace("\\", "/"))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
        for kind, name in (("images", "file_name"), ("categories", "name")):
            for each in content[kind]:
                each["id"], each[name]
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read as COCO's annotations: {error}.") from error
    except (KeyError, TypeError, IndexError):
        raise DataError(
            f"{path} is no COCO file: it needs images with id and file_name, and categories with id and name."
        ) from None
    return dict(content)

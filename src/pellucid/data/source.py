"""What every reader returns: records that are named and labelled, but not yet decoded."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pellucid.core.errors import DataError
from pellucid.core.shapes import require_shape
from pellucid.data.objects import Objects, ObjectsOnDemand

Role = Literal["train", "val", "test"]
ROLES: tuple[Role, ...] = ("train", "val", "test")
BACKGROUND = "background"  # the first class of masks in which not everything is a thing


@dataclass(frozen=True)
class Problem:
    """One record that was left out, and why: `kind` is a stable word such as `unreadable`."""

    record: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Card:
    """What a data set is and where it comes from.

    Attributes:
        title: for people.
        licence: its name, or "unknown" for a user's own folder.
        origin: where it comes from: an address, a paper, or the folder.
        digest: SHA-256 of the decoded content, for the sets whose content is known.
    """

    title: str
    licence: str = "unknown"
    origin: str = ""
    digest: str = ""


@dataclass(repr=False)  # fourteen thousand names would fill the screen
class Source:
    """N records of one data set.

    Attributes:
        name: what it calls itself: folder name or the name of a known set.
        images: N paths, or an array (N, H, W) or (N, H, W, C) uint8.
        names: N short names for messages and tables: path below the root, or `train/17`.
        classes: class names.
        labels: (N,) int64 in 0..K-1, or None.
        masks: N paths (None where a picture has none), or an array (N, H, W) uint8 with class ids,
            255 = ignore; or None.
        mask_ids: file value -> class id, for masks whose file values are not 0..K-1; None keeps them.
        mask_colours: 0xRRGGBB -> file value, for masks that are pictures in colours; None for all others.
        objects: N times the things in a picture, whose classes are indices into `classes`; or None.
        keypoints: names of the keypoints of each thing, where they are known: those with `left` in them change places
            with those with `right` in mirrored pictures.
        category_ids: K numbers by which the files call the classes, where they do; () where nobody else numbers them.
        image_ids: N numbers or words by which the files call the pictures; or None.
        roles: (N,) of "train", "val", "test" or "", as far as the data says; "" is to be split.
        groups: (N,) any hashable; records of one group stay on one side; or None.
        problems: what was left out while reading.
        card: what is known about the data set.
        spec, group: what `load` was given, as text that finds the same records again; "" for arrays in memory.
    """

    name: str
    images: Sequence[Path] | np.ndarray
    names: list[str]
    classes: tuple[str, ...]
    labels: np.ndarray | None = None
    masks: Sequence[Path | None] | np.ndarray | None = None
    mask_ids: dict[int, int] | None = None
    mask_colours: dict[int, int] | None = None
    objects: Sequence[Objects] | None = None
    keypoints: tuple[str, ...] = ()
    category_ids: tuple[int, ...] = ()
    image_ids: Sequence[int | str] | None = None
    roles: np.ndarray | None = None
    groups: np.ndarray | None = None
    problems: list[Problem] = field(default_factory=list)
    card: Card = field(default_factory=lambda: Card(""))
    spec: str = ""
    group: str = ""

    def __post_init__(self) -> None:
        n = len(self.images)
        if self.roles is None:
            self.roles = np.full(n, "", dtype="<U5")
        if self.labels is not None:
            self.labels = np.asarray(self.labels, dtype=np.int64)
            require_shape(self.labels, "N", f"{self.name}: labels", N=n)
            outside = (self.labels < -1) | (self.labels >= len(self.classes))
            if outside.any():
                where = int(np.flatnonzero(outside)[0])
                raise DataError(
                    f"{self.name}: label {self.labels[where]} of {self.names[where]} is outside "
                    f"0..{len(self.classes) - 1} ({len(self.classes)} classes)."
                )
        for what, values in (
            ("names", self.names),
            ("roles", self.roles),
            ("groups", self.groups),
            ("masks", self.masks),
            ("objects", self.objects),
            ("image_ids", self.image_ids),
        ):
            if values is not None and len(values) != n:
                raise DataError(f"{self.name}: {n} images but {len(values)} {what}.")
        drawn = () if self.objects is None or isinstance(self.objects, ObjectsOnDemand) else self.objects
        if self.category_ids and len(self.category_ids) != len(self.classes):
            raise DataError(f"{self.name}: {len(self.classes)} classes but {len(self.category_ids)} category_ids.")
        for name, objects in zip(self.names, drawn, strict=False):
            if len(objects) and objects.labels.max() >= len(self.classes):
                raise DataError(
                    f"{self.name}: class {objects.labels.max()} of a thing in {name} is outside "
                    f"0..{len(self.classes) - 1} ({len(self.classes)} classes)."
                )

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        counts = {role: int(np.count_nonzero(np.asarray(self.roles) == role)) for role in ROLES}
        split = ", ".join(f"{count:,} {role}" for role, count in counts.items() if count)
        told = f" ({split})" if split else ""
        left_out = f", {len(self.problems):,} left out" if self.problems else ""
        return f"<{self.name}: {len(self):,} pictures{told}, {len(self.classes)} classes, for {self.kind}{left_out}>"

    @property
    def kind(self) -> str:
        """The task this data is for, by the labels it has."""
        if self.masks is not None:
            return "segment"
        return "detect" if self.labels is None and self.objects is not None else "classify"

    def take(self, rows: np.ndarray) -> "Source":
        """The same data set with only these records, in this order."""

        def pick(values: Any) -> Any:
            if values is None or isinstance(values, np.ndarray):
                return None if values is None else values[rows]
            if isinstance(values, ObjectsOnDemand):
                return values.take(rows)
            return [values[row] for row in rows]

        parts = ("images", "names", "labels", "masks", "objects", "image_ids", "roles", "groups")
        return Source(**{**self.__dict__, "spec": "", **{part: pick(getattr(self, part)) for part in parts}})

    def things_alone(self) -> "Source":
        """The same pictures with their things, without labels and masks of the whole, for detection.

        A background that the masks begin with is no class then: no thing is of it.
        """
        alone = replace(self, labels=None, masks=None)
        if self.masks is None or self.objects is None or self.classes[0].lower() != BACKGROUND:
            return alone
        things = self.objects

        def counted_without(row: int) -> Objects:
            found = things[row]
            return replace(found, labels=found.labels - 1)

        objects = ObjectsOnDemand(counted_without, np.arange(len(self)))
        return replace(alone, classes=self.classes[1:], category_ids=self.category_ids[1:], objects=objects)

    def _repr_html_(self) -> str:
        """Classes and how often each occurs in every split, for a notebook."""
        assert self.roles is not None  # filled in above
        split_names = {"": "not yet split"}
        roles = [role for role in (*ROLES, "") if (self.roles == role).any()]
        head = "".join(f"<th>{split_names.get(role, role)}</th>" for role in roles)
        lines = [("all", [int((self.roles == role).sum()) for role in roles])]
        if self.labels is not None:
            counts = [
                np.bincount(self.labels[(self.roles == role) & (self.labels >= 0)], minlength=len(self.classes))
                for role in roles
            ]
            lines += [(name, [int(count[k]) for count in counts]) for k, name in enumerate(self.classes)]
        elif self.masks is not None:
            lines += [(name, []) for name in self.classes]
        body = "".join(
            f"<tr><th>{html.escape(name)}</th>{''.join(f'<td>{number:,}</td>' for number in numbers)}</tr>"
            for name, numbers in lines
        )
        about = f"{self.card.title or self.name}; licence: {self.card.licence}"
        if self.problems:
            about += f"; {len(self.problems):,} things were left out, see .problems"
        return f"<table><caption>{html.escape(about)}</caption><tr><th>class</th>{head}</tr>{body}</table>"

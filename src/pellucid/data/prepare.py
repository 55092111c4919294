"""From a source to what training needs: packed pictures, three splits, statistics, loaders."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pellucid.core.errors import DataError, ImageError
from pellucid.core.facts import DataFacts
from pellucid.core.preprocess import Fit, Numbers, Preprocess, Resize
from pellucid.core.progress import Progress, Quiet
from pellucid.core.seed import numpy_generator
from pellucid.core.shapes import parse_size
from pellucid.data.config import AugmentConfig, DataConfig
from pellucid.data.images import read_size
from pellucid.data.loader import Loader
from pellucid.data.objects import Objects
from pellucid.data.pack import Pack, make_pack
from pellucid.data.pack.equal import first_equal
from pellucid.data.pack.outlines import outlines_of
from pellucid.data.pack.things import count_keypoints, have_outlines, thing_targets
from pellucid.data.readers.detect.pictures import read_sizes
from pellucid.data.source import Problem, Role, Source
from pellucid.data.splits import Split, keep_together, make_split, subset
from pellucid.data.statistics import measure
from pellucid.data.transforms import Transform, build
from pellucid.data.transforms.geometry.flip import mirror_order

OWN_SIZE_UP_TO = 256  # pictures that all share one size up to this keep it
USUAL_SIZE = 224
CROP_MARGIN = 8 / 7  # pictures above 64 px are packed a little larger than the input, so that crops can move
SAMPLE = 64


@dataclass
class Splits:
    """One data set, ready for training.

    Attributes:
        facts: what model, loss and report need to know.
        pack: every picture on its canvas, with its targets.
        split: rows of the pack in each role; `train` already reduced to the asked fraction.
        problems: every record that was left out.
        names: record names of the pack's rows.
        augment: the training transforms' settings.
        objects: the things in the picture of each of the pack's rows, or None where they are not told apart.
        mirror: which keypoint of a mirrored thing is which of the thing itself, see `transforms.geometry.flip`.
    """

    facts: DataFacts
    pack: Pack
    split: Split
    problems: list[Problem]
    names: list[str]
    augment: AugmentConfig
    objects: Sequence[Objects] | None = None
    mirror: tuple[int, ...] = ()

    def loader(
        self,
        role: Role,
        batch: int,
        *,
        seed: int = 0,
        device: str | torch.device = "cpu",
        training: bool = False,
        whole_canvas: bool = False,
        unlabelled: bool = False,
    ) -> Loader:
        """Batches of one split: shuffled and augmented when `training`, else in order and as they are.

        Outside training the middle of the canvas is cut out, unless all of it is asked for. In training, pictures
        without a label are left out where others have one, as no step learns from them, unless `unlabelled`.
        """
        rows = self.split.role(role)
        if training and not unlabelled:
            rows = self._labelled(rows)
        return Loader(
            self.pack,
            rows,
            min(batch, max(len(rows), 1)),
            seed=seed,
            shuffle=training,
            device=device,
            transform=None if whole_canvas else self._transform(training),
            drop_last=training,
        )

    def _labelled(self, rows: np.ndarray) -> np.ndarray:
        """Those with a label; all of them where labels are masks, or where none has one."""
        if "label" not in self.pack.targets:
            return rows
        known = rows[np.asarray(self.pack.targets["label"][rows]) >= 0]
        return known if len(known) else rows

    def _transform(self, training: bool) -> Transform | None:
        preprocess = self.facts.preprocess
        size, canvas_size = preprocess.size, preprocess.canvas_size
        return build(self.augment, size, canvas_size, training, preprocess.background, self.mirror)

    def sample(self, role: Role, n: int, seed: int) -> Tensor:
        """(n, C, h, w) uint8: pictures of a split as a network sees them outside training, drawn without repeating.

        All of them where the split has fewer than `n`; in the order of the split.
        """
        rows = self.split.role(role)
        drawn = numpy_generator(seed, "sample", role).choice(len(rows), min(n, len(rows)), replace=False)
        loader = Loader(self.pack, rows[np.sort(drawn)], max(len(drawn), 1), transform=self._transform(False))
        return next(iter(loader.epoch(0)))["image"]


def prepare(
    source: Source,
    data: DataConfig,
    augment: AugmentConfig,
    seed: int,
    task: str,
    progress: Progress | None = None,
    preprocess: Preprocess | Numbers | None = None,
    whole: bool = False,
    outlines: bool = False,
) -> Splits:
    """Pack the pictures, divide them, and measure the training split.

    Args:
        source: what a reader returned.
        data, augment, seed: the settings.
        task: name of the task, for the facts; decides whether classes are counted by picture, pixel or thing.
        preprocess: of an existing run, used as it is instead of measuring anew; or only the numbers of one, for
            pictures of the size and fit that the settings say.
        whole: put every record into the test split (the records named "test", if any are), train on none.
        outlines: give batches the masks of things, which costs time, where all things have one.

    Raises:
        DataError: nothing is left to train on, or the data does not allow the split that was asked for.
    """
    progress = progress or Quiet()
    measured = preprocess is not None
    if isinstance(preprocess, Numbers):
        preprocess = preprocess.on(_geometry(source, data))
    preprocess = preprocess or _geometry(source, data)
    if preprocess.resize is not None:
        preprocess = _with_room(source, preprocess, preprocess.resize)
    pack = make_pack(
        source,
        preprocess.canvas_size,
        preprocess.channels,
        preprocess.fit,
        preprocess.background,
        strict=data.strict,
        progress=progress,
        interpolation=preprocess.interpolation,
    )
    kept = source.take(np.asarray(pack.rows))
    n_keypoints, has_outlines = 0, False
    if source.kind == "detect" and kept.objects is not None:
        kept.objects = list(kept.objects)  # made once
        n_keypoints, has_outlines = count_keypoints(kept.objects), have_outlines(kept.objects)
        _add_things(pack, kept.objects, preprocess, outlines and has_outlines)
    split = _all_test(kept) if whole else _divide(kept, pack, data, seed if data.split_seed < 0 else data.split_seed)
    if not measured:
        shift, scale, mean_image = measure(pack, split.train, data.preprocess)
        mean_image = None if mean_image is None else _middle(mean_image, preprocess.size)
        preprocess = replace(preprocess, mode=data.preprocess, shift=shift, scale=scale, mean_image=mean_image)
    facts = DataFacts(
        task=task,
        source=source.name,
        classes=source.classes,
        class_counts=_count_classes(pack, split.train, len(source.classes)),
        preprocess=preprocess,
        n_train=len(split.train),
        n_val=len(split.val),
        n_test=len(split.test),
        split_hash=split.digest,
        zoom=_zoom(pack, split.train),
        n_keypoints=n_keypoints,
        has_outlines=has_outlines,
        category_ids=source.category_ids,
    )
    problems, mirror = [*source.problems, *pack.problems], mirror_order(source.keypoints)
    return Splits(facts, pack, split, problems, kept.names, augment, kept.objects, mirror)


def _add_things(pack: Pack, objects: Sequence[Objects], preprocess: Preprocess, outlines: bool) -> None:
    """Put the things in the pictures of a pack beside these."""
    original_hw = np.asarray(pack.targets["original_hw"])
    affine, valid_hw = np.asarray(pack.targets["canvas_affine"]), np.asarray(pack.targets["valid_hw"])
    pack.targets |= thing_targets(objects, affine, valid_hw, original_hw)
    if outlines:
        labels = pack.targets["box_label"]
        pack.outlines = outlines_of(objects, labels, original_hw, pack.names, preprocess.canvas_size, preprocess.fit)


def divided(splits: Splits, split: Split, mode: str | None) -> Splits:
    """The same pictures divided otherwise, as for a fold: counts, and statistics of its own training rows.

    Args:
        mode: the preprocessing whose numbers are measured anew; None keeps those there are.
    """
    facts, pack = splits.facts, splits.pack
    preprocess = facts.preprocess
    if mode is not None:
        shift, scale, mean_image = measure(pack, split.train, mode)
        mean_image = None if mean_image is None else _middle(mean_image, preprocess.size)
        preprocess = replace(preprocess, mode=mode, shift=shift, scale=scale, mean_image=mean_image)
    facts = replace(
        facts,
        class_counts=_count_classes(pack, split.train, facts.n_classes),
        preprocess=preprocess,
        n_train=len(split.train),
        n_val=len(split.val),
        n_test=len(split.test),
        split_hash=split.digest,
    )
    return replace(splits, facts=facts, split=split)


def _middle(mean_image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(C, canvas) -> (C, *size): the part that evaluation looks at, taken off windows that moved too."""
    top, left = ((room - side) // 2 for room, side in zip(mean_image.shape[1:], size, strict=True))
    return mean_image[:, top : top + size[0], left : left + size[1]]


def _divide(source: Source, pack: Pack, data: DataConfig, seed: int) -> Split:
    assert source.roles is not None  # Source fills it in
    split = make_split(
        source.labels,
        source.roles,
        source.groups,
        data.val_fraction,
        data.test_fraction,
        data.stratify,
        seed,
        source.classes,
    )
    if source.groups is None:
        split = keep_together(split, first_equal(np.asarray(pack.images)), source.roles)
    if data.fraction < 1:
        split = replace(split, train=subset(split.train, data.fraction, source.labels, seed))
    return split


def _all_test(source: Source) -> Split:
    assert source.roles is not None
    named = np.flatnonzero(source.roles == "test")
    none = np.empty(0, dtype=np.int64)
    return Split(none, none, named if len(named) else np.arange(len(source)))


def _geometry(source: Source, data: DataConfig) -> Preprocess:
    """Size, colour and fit, decided from a sample of the headers; the numbers are measured later."""
    sizes, channels = _sample_sizes(source)
    if not sizes:
        raise DataError(f"{source.name}: none of the first {SAMPLE} pictures can be opened. Check the files.")
    same = len(set(sizes)) == 1
    if data.image_size != "auto":
        size = parse_size(data.image_size)
    elif same and max(sizes[0]) <= OWN_SIZE_UP_TO:
        size = sizes[0]
    elif max(max(s) for s in sizes) <= 64:
        size = max(sizes)
    else:
        size = (USUAL_SIZE, USUAL_SIZE)
    usual_fit: Fit = "crop" if source.kind == "classify" else "pad"
    fit: Fit = usual_fit if data.fit == "auto" else data.fit
    colour = data.colour if data.colour != "auto" else "grey" if channels == 1 else "rgb"
    n_channels = 1 if colour == "grey" else 3
    keeps_size = same and sizes[0] == size
    canvas = None
    if fit in ("crop", "short-side") and min(size) > 64 and not keeps_size:
        canvas = (round(size[0] * CROP_MARGIN), round(size[1] * CROP_MARGIN))
    return Preprocess(
        size=size,
        canvas=canvas,
        channels=n_channels,
        fit=fit,
        mode="none",
        shift=(0.0,) * n_channels,
        scale=(1 / 255,) * n_channels,
        background=data.background,
    )


def _with_room(source: Source, preprocess: Preprocess, rule: Resize) -> Preprocess:
    """For networks that resize pictures themselves: room for the largest picture, but no more than they look at."""
    if isinstance(source.images, np.ndarray):
        sizes = [(source.images.shape[1], source.images.shape[2])]
    else:
        sizes = [size for size in read_sizes(list(map(Path, source.images))) if not isinstance(size, ImageError)]
    most = max(rule.long_side, *preprocess.size)
    height, width = (min(most, max(sides)) for sides in zip(*sizes, strict=True)) if sizes else preprocess.size
    return replace(preprocess, size=(height, width))


def _sample_sizes(source: Source) -> tuple[list[tuple[int, int]], int]:
    """Sizes of a spread sample of the pictures that can be opened, and channels (1 only for grey arrays)."""
    if isinstance(source.images, np.ndarray):
        shape = source.images.shape
        return [(shape[1], shape[2])], shape[3] if len(shape) == 4 else 1
    step = max(1, len(source) // SAMPLE)
    sizes = []
    for path in source.images[::step]:
        try:
            sizes.append(read_size(Path(path)))
        except ImageError:
            continue
    return sizes, 3


def _zoom(pack: Pack, rows: np.ndarray) -> float:
    """How large pictures are shown on their canvases: the median over the rows, 1 where nothing says so."""
    affine = pack.targets.get("canvas_affine")
    if affine is None or not len(rows):
        return 1.0
    shown = np.asarray(affine[rows])[:, [0, 1], [0, 1]].astype(np.float64)  # (N, 2), file pixels a canvas pixel
    return float(np.median(1 / np.sqrt(shown.prod(axis=1))))


def _count_classes(pack: Pack, rows: np.ndarray, n_classes: int) -> tuple[int, ...]:
    """Pixels of each class where there are masks, things where they are told apart, else pictures."""
    key = next(key for key in ("mask", "box_label", "label") if key in pack.targets)
    counts = np.zeros(n_classes, dtype=np.int64)
    for start in range(0, len(rows), 512):
        values = np.asarray(pack.targets[key][rows[start : start + 512]]).ravel()
        counts += np.bincount(values[(values >= 0) & (values < n_classes)], minlength=n_classes)
    return tuple(int(count) for count in counts)

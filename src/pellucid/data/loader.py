"""Whole batches of a pack, in an order that depends on the seed and the epoch alone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from pellucid.core.errors import ConfigError
from pellucid.core.seed import generator
from pellucid.data.pack import Pack
from pellucid.data.transforms import Batch, Compose, Cut, Transform
from pellucid.ops import buffers


class Loader:
    """Batches of some rows of a pack.

    It has no state: (epoch, step) is the whole position, so `epoch(e, start=s)` yields to the bit what a straight
    epoch yields from step s on. Each rank gets as many steps as every other, and together they cover all rows
    once; where the rows do not divide, the last step is filled up with rows from the epoch's beginning, at most
    one a rank.

    On a CPU everything happens in the caller's thread: measured, a second one gains 1 % of a training step even
    when the pictures have to come from the disk. Other devices have the next batch read while they work.

    Args:
        pack: where the pictures are.
        rows: which of them, as rows of the pack.
        batch: pictures of one step on this rank.
        seed: of the order and of the transform.
        shuffle: a new order every epoch; else the order of `rows`.
        device: where the batches are put, and the transform runs.
        transform: called as `transform(batch, generator)`.
        rank, world: this process and how many there are.
        drop_last: leave out the last step of an epoch when it is short, unless it is the only one.

    Raises:
        ConfigError: batch, rank or rows that do not fit.
    """

    def __init__(
        self,
        pack: Pack,
        rows: np.ndarray,
        batch: int,
        *,
        seed: int = 0,
        shuffle: bool = False,
        device: str | torch.device = "cpu",
        transform: Transform | None = None,
        rank: int = 0,
        world: int = 1,
        drop_last: bool = False,
    ) -> None:
        if batch < 1:
            raise ConfigError(f"A batch has 1 picture or more, got {batch}.")
        if not 0 <= rank < world:
            raise ConfigError(f"The rank must be from 0 to {world - 1} (world {world}), got {rank}.")
        rows = np.asarray(rows, dtype=np.int64)
        if len(rows) and (rows.min() < 0 or rows.max() >= len(pack)):
            raise ConfigError(f"Rows must be from 0 to {len(pack) - 1}, got {rows.min()} to {rows.max()}.")
        self.pack, self.rows, self.batch = pack, rows, batch
        self.seed, self.shuffle, self.transform = seed, shuffle, transform
        self.device = torch.device(device)
        self.rank, self.world, self.drop_last = rank, world, drop_last
        self._stored = _stored_planes(pack) if self.device.type == "cpu" else None
        self._cut, self._rest = _split(transform)

    def __len__(self) -> int:
        """Steps of an epoch, the same on every rank."""
        whole, rest = divmod(len(self.rows), self.batch * self.world)
        return whole if rest == 0 or (self.drop_last and whole) else whole + 1

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from step `start` on.

        Yields:
            `image` (N, C, h, w) uint8, channels last in memory; the pack's targets as far as it has them: `label`
            (N,) int64, `mask` (N, h, w) int64, `valid_hw`, `original_hw` (N, 2) int64, `canvas_affine` (N, 2, 3)
            float32; what `pack.things` tells of the things in them, and where the pack keeps outlines `instance_mask`
            (N, M, h, w) bool; and `index` (N,) int64, the position in `rows`.
        """
        order = self._order(epoch)
        steps = range(start, len(self))
        if self.device.type == "cpu":
            for step in steps:
                yield self._on_cpu(self._positions(order, step), self._generator(epoch, step))
            return
        with ThreadPoolExecutor(1) as reader:
            ahead = [reader.submit(self._gather, self._positions(order, step)) for step in steps[:1]]
            for step in steps:
                batch = ahead.pop().result()
                if step + 1 < len(self):
                    ahead.append(reader.submit(self._gather, self._positions(order, step + 1)))
                yield _finish(self._moved(batch), self.transform, self._generator(epoch, step))

    def _order(self, epoch: int) -> np.ndarray:
        """(len(rows),) positions in `rows`, the same on every rank."""
        n = len(self.rows)
        if not self.shuffle:
            return np.arange(n)
        return torch.randperm(n, generator=generator(self.seed, "order", epoch)).numpy()

    def _positions(self, order: np.ndarray, step: int) -> np.ndarray:
        """This rank's positions of one step."""
        together = self.batch * self.world
        shared = order[step * together : (step + 1) * together]
        missing = -len(shared) % self.world
        return np.concatenate([shared, np.resize(order, missing)])[self.rank :: self.world]

    def _generator(self, epoch: int, step: int) -> torch.Generator:
        return generator(self.seed, "augment", epoch, step, self.rank)

    def _on_cpu(self, positions: np.ndarray, drawn: torch.Generator) -> Batch:
        """A batch by the shortest way: a transform that cuts first takes its parts straight from the pack."""
        if self._cut is None or self._stored is None:
            return _finish(self._gather(positions), self.transform, drawn)
        batch = {**self._small(positions), **self._stored}
        return _finish(self._cut.cut(batch, torch.from_numpy(self.rows[positions]), drawn), self._rest, drawn)

    def _gather(self, positions: np.ndarray) -> Batch:
        """The batch as it lies in the pack, copied once into main memory."""
        rows = self.rows[positions]
        batch = {**self._small(positions), "image": _take(self.pack.images, rows).permute(0, 3, 1, 2)}
        if "mask" in self.pack.targets:
            batch["mask"] = _take(self.pack.targets["mask"], rows)
        return batch

    def _small(self, positions: np.ndarray) -> Batch:
        """Everything but pictures and masks."""
        rows = self.rows[positions]
        small = {key: torch.from_numpy(each[rows]) for key, each in self.pack.targets.items() if key != "mask"}
        if self.pack.outlines is not None:
            small["instance_mask"] = self.pack.outlines.draw(rows)
        return {**small, "index": torch.from_numpy(positions)}

    def _moved(self, batch: Batch) -> Batch:
        """On the device."""
        if self.device.type == "cuda":
            return {key: each.pin_memory().to(self.device, non_blocking=True) for key, each in batch.items()}
        return {key: each.to(self.device) for key, each in batch.items()}


def _stored_planes(pack: Pack) -> Batch | None:
    """Pictures and masks of the whole pack as tensors, without a copy; None if its arrays are not writable, of which
    torch makes none.
    """
    masks = pack.targets.get("mask")
    if not (pack.images.flags.writeable and (masks is None or masks.flags.writeable)):
        return None
    planes = {"image": torch.from_numpy(np.asarray(pack.images)).permute(0, 3, 1, 2)}
    return planes if masks is None else {**planes, "mask": torch.from_numpy(np.asarray(masks))}


def _split(transform: Transform | None) -> tuple[Cut | None, Transform | None]:
    """The transform's first step, if it cuts, and the rest."""
    first, *rest = transform.steps if isinstance(transform, Compose) and transform.steps else (transform,)
    return (first, Compose(tuple(rest))) if isinstance(first, Cut) else (None, transform)


def _finish(batch: Batch, transform: Transform | None, drawn: torch.Generator) -> Batch:
    """Augmented, and masks as int64, which losses want."""
    if transform is not None:
        batch = transform(batch, drawn)
    if "mask" in batch:
        batch = {**batch, "mask": _as_int64(batch["mask"])}
    return batch


def _take(values: np.ndarray, rows: np.ndarray) -> Tensor:
    """`values[rows]` of uint8 as a tensor, into memory that is used again."""
    out = buffers.empty((len(rows), *values.shape[1:]), torch.uint8)
    np.take(
        np.asarray(values), rows, axis=0, out=out.numpy(), mode="clip"
    )  # "raise" would copy twice; rows are checked
    return out


def _as_int64(mask: Tensor) -> Tensor:
    if mask.device.type != "cpu":
        return mask.long()
    return buffers.empty(tuple(mask.shape), torch.int64).copy_(mask)

import numpy as np
import pytest
import torch

from pellucid.core.errors import ConfigError
from pellucid.core.seed import generator
from pellucid.data.loader import Loader
from pellucid.data.pack import Pack
from pellucid.data.transforms import Compose, Flip, Noise, RandomCrop, Shift, Window
from pellucid.ops import buffers

AUGMENT = Compose((Window((8, 8)), Flip(), Shift(0.2), Noise(5.0)))
CROPS = Compose((RandomCrop((8, 8), (0.3, 1.0)), Flip()))


def pack_of(n: int, size: int = 10, c: int = 3, masks: bool = True, writable: bool = True) -> Pack:
    rng = np.random.default_rng(0)
    targets = {
        "label": rng.integers(0, 5, n),
        "valid_hw": np.tile([size, size], (n, 1)),
        "original_hw": rng.integers(1, 999, (n, 2)),
        "canvas_affine": rng.normal(size=(n, 2, 3)).astype(np.float32),
    }
    images = rng.integers(0, 256, (n, size, size, c), dtype=np.uint8)
    images.flags.writeable = writable
    if masks:
        targets["mask"] = rng.integers(0, 4, (n, size, size), dtype=np.uint8)
    return Pack(images, targets, [str(k) for k in range(n)], np.arange(n), [])


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return set(a) == set(b) and all(torch.equal(a[key], b[key]) for key in a)


def rows_of(loader: Loader, epoch: int = 0) -> list[int]:
    return [index for batch in loader.epoch(epoch) for index in batch["index"].tolist()]


@pytest.mark.parametrize("c", [1, 3])
def test_batches_are_the_rows_of_the_pack(c):
    pack, rows = pack_of(20, c=c), np.array([3, 19, 0, 7, 7, 11, 2])
    loader = Loader(pack, rows, 3)
    assert len(loader) == 3
    for step, batch in enumerate(loader.epoch(0)):
        some = rows[3 * step : 3 * step + 3]
        assert batch["image"].dtype is torch.uint8
        assert batch["image"].shape == (len(some), c, 10, 10)
        assert batch["image"].is_contiguous(memory_format=torch.channels_last)
        assert np.array_equal(batch["image"].permute(0, 2, 3, 1), pack.images[some])
        assert batch["mask"].dtype is batch["label"].dtype is batch["index"].dtype is torch.int64
        for key, values in pack.targets.items():
            assert np.array_equal(batch[key], values[some])
        assert np.array_equal(rows[batch["index"].numpy()], some)


def test_an_epoch_has_every_row_once_and_each_its_own_order():
    loader = Loader(pack_of(23), np.arange(23), 5, shuffle=True, seed=4)
    orders = [rows_of(loader, epoch) for epoch in range(3)]
    assert all(sorted(order) == list(range(23)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    assert rows_of(Loader(pack_of(23), np.arange(23), 5, shuffle=True, seed=4), 1) == orders[1]
    assert rows_of(Loader(pack_of(23), np.arange(23), 5, shuffle=True, seed=5), 1) != orders[1]
    assert rows_of(Loader(pack_of(23), np.arange(23), 5)) == list(range(23))


@pytest.mark.parametrize("transform", [AUGMENT, CROPS, Flip(), None], ids=["window", "crop", "flip", "none"])
def test_starting_at_a_step_gives_the_straight_epochs_bits(transform):
    loader = Loader(pack_of(31), np.arange(31), 4, shuffle=True, seed=1, transform=transform)
    straight = list(loader.epoch(2))
    for start in (0, 3, 7, 8):
        again = Loader(pack_of(31), np.arange(31), 4, shuffle=True, seed=1, transform=transform)
        resumed = list(again.epoch(2, start=start))
        assert len(resumed) == 8 - start
        assert all(same(a, b) for a, b in zip(resumed, straight[start:], strict=True))
    if transform:
        other = list(loader.epoch(3))
        assert not torch.equal(other[0]["image"], straight[0]["image"])


@pytest.mark.parametrize("n", [1, 2, 7, 24, 25, 26])
@pytest.mark.parametrize("world", [1, 2, 3])
def test_ranks_share_an_epoch(n, world):
    pack = pack_of(n)
    loaders = [Loader(pack, np.arange(n), 4, shuffle=True, rank=rank, world=world) for rank in range(world)]
    assert len({len(loader) for loader in loaders}) == 1
    shares = [rows_of(loader) for loader in loaders]
    assert len({len(share) for share in shares}) == 1
    together = [row for share in shares for row in share]
    assert set(together) == set(range(n))
    assert len(together) - n < world
    sizes = [[len(batch["index"]) for batch in loader.epoch(0)] for loader in loaders]
    assert all(each == sizes[0] for each in sizes)
    assert max(sizes[0]) <= 4


def test_ranks_and_steps_draw_different_augmentations():
    pack = pack_of(8)
    pack.images[:] = pack.images[0]
    first, second = Loader(pack, np.arange(8), 4, transform=AUGMENT).epoch(0)
    assert not torch.equal(first["image"], second["image"])
    a, b = (next(Loader(pack, np.arange(8), 4, transform=AUGMENT, rank=r, world=2).epoch(0)) for r in (0, 1))
    assert not torch.equal(a["image"], b["image"])


@pytest.mark.parametrize(("n", "steps"), [(0, 0), (3, 1), (8, 2), (9, 2), (11, 2), (12, 3)])
def test_drop_last_leaves_out_a_short_step_but_never_the_only_one(n, steps):
    loader = Loader(pack_of(12), np.arange(n), 4, drop_last=True)
    assert len(loader) == steps == len(list(loader.epoch(0)))
    assert len(Loader(pack_of(12), np.arange(n), 4)) == -(-n // 4)


@pytest.mark.parametrize("transform", [AUGMENT, CROPS, Window((8, 8))], ids=["window", "crop", "alone"])
@pytest.mark.parametrize("masks", [True, False])
def test_cutting_from_the_pack_gives_the_same_bits(transform, masks):
    """Arrays that are read only are gathered first; writable ones are cut where they lie."""
    rows = np.random.default_rng(0).permutation(20)[:13]
    direct, gathered = (
        list(Loader(pack_of(20, masks=masks, writable=writable), rows, 5, transform=transform).epoch(1))
        for writable in (True, False)
    )
    assert all(same(a, b) for a, b in zip(direct, gathered, strict=True))
    batch = {**direct[0]}
    pack = pack_of(20, masks=masks)
    stored = {key: torch.from_numpy(values[rows[:5]]) for key, values in pack.targets.items()}
    stored["image"] = torch.from_numpy(pack.images[rows[:5]]).permute(0, 3, 1, 2)
    expected = transform(stored, generator(0, "augment", 1, 0, 0))
    assert all(torch.equal(batch[key], expected[key]) for key in expected)


def test_batches_stay_as_they_are_while_others_are_made():
    """Large batches share memory with none that is still held."""
    pack = pack_of(40, size=230)
    assert pack.images[:8].nbytes > buffers.SMALL
    for transform in (None, Flip(1.0), RandomCrop((224, 224))):
        loader = Loader(pack, np.arange(40), 8, transform=transform)
        held, copies = [], []
        for batch in loader.epoch(0):
            held.append(batch)
            copies.append({key: values.clone() for key, values in batch.items()})
        assert all(same(a, b) for a, b in zip(held, copies, strict=True))


def test_another_device_gets_the_same_batches():
    """`meta` has no values, but takes the way of every device that is not the CPU, up to the transform."""
    loader = Loader(pack_of(20), np.arange(20), 6, shuffle=True, device="meta")
    found = list(loader.epoch(0))
    expected = list(Loader(pack_of(20), np.arange(20), 6, shuffle=True).epoch(0))
    assert [batch["image"].shape for batch in found] == [batch["image"].shape for batch in expected]
    assert all(values.device.type == "meta" for batch in found for values in batch.values())
    assert len(list(loader.epoch(0, start=2))) == 2
    next(loader.epoch(0))  # left before its end


def test_what_does_not_fit_is_refused():
    pack = pack_of(5)
    with pytest.raises(ConfigError, match=r"^A batch has 1 picture or more, got 0\.$"):
        Loader(pack, np.arange(5), 0)
    with pytest.raises(ConfigError, match=r"^The rank must be from 0 to 1 \(world 2\), got 2\.$"):
        Loader(pack, np.arange(5), 1, rank=2, world=2)
    with pytest.raises(ConfigError, match=r"^Rows must be from 0 to 4, got 0 to 5\.$"):
        Loader(pack, np.arange(6), 1)

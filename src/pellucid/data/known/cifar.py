"""The public binary format of CIFAR: records of one or two label bytes and 3,072 pixels, all red, all green, all blue.

CIFAR-10 has one label. CIFAR-100 has two: which of 20 groups, then which of 100 classes; the second is read.
Described at https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pellucid.core.errors import DataError

SIDE = 32
PIXELS = 3 * SIDE * SIDE


@dataclass(frozen=True)
class Layout:
    """How the files of one set lie.

    Attributes:
        inner: the folder inside the published archive.
        files: role -> names of its files.
        names: the file that lists the class names.
        n_labels: label bytes before the pixels; the last one is the class.
    """

    inner: str
    files: dict[str, tuple[str, ...]]
    names: str
    n_labels: int = 1

    @property
    def members(self) -> tuple[str, ...]:
        """What is taken out of the published archive."""
        return tuple(f"{self.inner}/{file}" for file in (self.names, *self.files["train"], *self.files["test"]))


CIFAR10 = Layout(
    "cifar-10-batches-bin",
    {"train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test": ("test_batch.bin",)},
    "batches.meta.txt",
)
CIFAR100 = Layout(
    "cifar-100-binary", {"train": ("train.bin",), "test": ("test.bin",)}, "fine_label_names.txt", n_labels=2
)
FINE_CLASSES = tuple(
    """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
    motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
    poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
    wardrobe whale willow_tree wolf woman worm
    """.split()
)


def read_cifar_folder(
    folder: Path, classes: tuple[str, ...], layout: Layout
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Role -> (images (N, 32, 32, 3) uint8, labels (N,) uint8).

    Args:
        folder: holds the `.bin` files, or the folder of the published archive that does.
        classes: what the list of names must say, if it is there.
        layout: of CIFAR-10 or CIFAR-100.

    Raises:
        DataError: a file is missing or cut, or the names are others.
    """
    if (folder / layout.inner).is_dir():
        folder = folder / layout.inner
    _check_names(folder / layout.names, classes)
    parts = {}
    for role, names in layout.files.items():
        batches = [read_batch(folder / name, layout.n_labels) for name in names]
        parts[role] = tuple(np.concatenate(each) for each in zip(*batches, strict=True))
    return parts  # type: ignore[return-value]  # tuple() of a generator has no known length


def read_batch(path: Path, n_labels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 32, 32, 3) uint8 and labels (N,) uint8 of one `.bin` file; of several labels, the last.

    Raises:
        DataError: the file is missing, empty, or no whole number of records.
    """
    if not path.is_file():
        raise DataError(f"{path.parent} has no file {path.name}.")
    try:
        content = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    record = n_labels + PIXELS
    if content.size == 0 or content.size % record:
        raise DataError(f"{path} must be a whole number of records of {record} bytes, got {content.size} bytes.")
    records = content.reshape(-1, record)  # (N, L + C*H*W)
    planes = records[:, n_labels:].reshape(-1, 3, SIDE, SIDE)  # (N, C, H, W)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), records[:, n_labels - 1].copy()  # (N, H, W, C), (N,)


def _check_names(path: Path, classes: tuple[str, ...]) -> None:
    if not path.is_file():
        return
    names = tuple(path.read_text(encoding="utf-8", errors="replace").split())
    if names != classes:
        raise DataError(f"{path} must list {_some(classes)}; got {_some(names) or 'nothing'}.")


def _some(names: tuple[str, ...]) -> str:
    """All of a few names, the ends of many."""
    return ", ".join(names if len(names) <= 10 else (*names[:5], "...", *names[-2:]))

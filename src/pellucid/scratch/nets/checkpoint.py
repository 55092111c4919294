"""Checkpoint of a training: arrays and a few words in one file, readable without running any code.

Formula:
    file = zip of (one .npy for each array, header.json)

Derivation:
    A training goes on exactly as if it had never stopped if everything that its next step reads is as it was: weights,
    the optimiser's memory, running statistics, the state of the random generators, and the counters. All of it is
    numbers, so nothing has to be pickled, and a file from somebody else cannot run code when it is read.

Source: NumPy, "NEP 1: a simple file format for NumPy arrays".
"""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.errors import WeightsError
from pellucid.core.files import write_bytes

HEADER = "header.json"


def write_checkpoint(path: Path | str, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write both, whole or not at all.

    Args:
        path: usually ends in `.npz`: `np.load` opens it.
        header: what JSON can hold.
        arrays: name -> array of numbers; a name may have slashes.

    Raises:
        WriteError: the place cannot be written.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, mode="w") as archive:
        archive.writestr(HEADER, json.dumps(header))
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
            archive.writestr(f"{name}.npy", member.getvalue())
    write_bytes(Path(path), buffer.getvalue())


def read_checkpoint(path: Path | str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of a file that `write_checkpoint` wrote.

    Raises:
        WeightsError: it is not there, or is damaged.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            header = json.loads(archive[HEADER])
            return header, {name: archive[name] for name in archive.files if name != HEADER}
    except OSError as error:
        raise WeightsError(f"Cannot read the checkpoint {path}: {error.strerror or error}.") from error
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} is no checkpoint of a solver, or is damaged. Use another one.") from error

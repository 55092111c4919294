"""Candidates of a search: the settings that are tried, each with the scores it got."""

import csv
import inspect
import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from torch import Tensor

from pellucid.core.errors import ConfigError, DataError
from pellucid.core.files import write_text

Settings: TypeAlias = dict[str, Any]
Grid: TypeAlias = "Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]]"
Make: TypeAlias = Callable[..., Any]  # settings by name -> an estimator that was not fitted yet
Score: TypeAlias = Callable[[np.ndarray, np.ndarray], float]  # labels, predictions -> larger is better
Samples: TypeAlias = "np.ndarray | Tensor"

EQUAL = 1e-12  # means of the same scores differ by rounding alone


@dataclass(frozen=True)
class Candidate:
    """One choice of settings and what it scored.

    Attributes:
        settings: name -> value, as `make` gets them.
        scores: one for each fold; a single one where there is one validation set.
    """

    settings: Settings
    scores: tuple[float, ...]

    @cached_property
    def mean(self) -> float:
        return float(np.mean(self.scores))

    @cached_property
    def std(self) -> float:
        """Sample standard deviation of the scores (divided by their number less one); NaN for a single score."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else float("nan")

    @property
    def name(self) -> str:
        """The settings in words: "k=5, distance=l1"."""
        return ", ".join(f"{name}={worded(value)}" for name, value in self.settings.items())


@dataclass(frozen=True)
class Table:
    """Candidates in the order of their grid, with their scores on the same folds."""

    candidates: tuple[Candidate, ...]

    @cached_property
    def best(self) -> Candidate:
        """The candidate of the highest mean; of equal ones the first, so list the simpler settings first."""
        means = np.array([candidate.mean for candidate in self.candidates])
        if np.isnan(means).all():
            raise DataError("No candidate has a score that is a number; look at what `score` returns.")
        return self.candidates[int(np.flatnonzero(means >= np.nanmax(means) - EQUAL)[0])]

    def rows(self) -> list[dict[str, Any]]:
        """One dict a candidate: its settings, then "mean", "std", and "fold 1", "fold 2", ..."""
        return [
            {**each.settings, "mean": each.mean, "std": each.std}
            | {f"fold {number}": score for number, score in enumerate(each.scores, 1)}
            for each in self.candidates
        ]

    def curve(self, name: str, others: Mapping[str, Any] | None = None) -> tuple[list[Any], np.ndarray]:
        """The values (V,) of one setting and the scores (V, F) of its candidates, where other settings are `others`.

        Raises:
            ConfigError: no candidate is so.
        """
        others = others or {}
        wanted = [
            each
            for each in self.candidates
            if name in each.settings and all(each.settings.get(key) == value for key, value in others.items())
        ]
        if not wanted:
            asked = ", ".join([name, *(f"{key}={worded(value)}" for key, value in others.items())])
            raise ConfigError(f"No candidate has {asked}. The first one has {self.candidates[0].name}.")
        return [each.settings[name] for each in wanted], np.array([each.scores for each in wanted])

    def write_csv(self, path: Path | str) -> None:
        """Write `rows` as a table with a head, whole or not at all; settings that are functions by their names.

        Raises:
            WriteError: the place cannot be written.
        """
        rows = self.rows()
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(dict.fromkeys(name for row in rows for name in row)), restval="")
        writer.writeheader()
        writer.writerows({name: worded(value) for name, value in row.items()} for row in rows)
        write_text(Path(path), text.getvalue().replace("\r\n", "\n"))


def worded(value: Any) -> str:
    """A setting as text: functions and classes by their names."""
    return value.__name__ if inspect.isroutine(value) or inspect.isclass(value) else str(value)


def all_of(grid: Grid, make: Make | None = None) -> list[Settings]:
    """The settings of all candidates, in order.

    Args:
        grid: name -> values: all combinations, the last name changing fastest; or a list of settings as they are.
        make: if given, whether it takes each of them is checked before anything is fitted.

    Raises:
        ConfigError: nothing to try, or `make` does not take such settings.
    """
    if isinstance(grid, Mapping):
        for name, values in grid.items():
            if isinstance(values, str) or not isinstance(values, (Sequence, np.ndarray)):
                raise ConfigError(f"{name} must be a list of the values to try, got {values!r}.")
        found = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())] if grid else []
    else:
        found = [dict(settings) for settings in grid]
    if not found:
        raise ConfigError(f"The grid holds no candidate: give each setting at least one value, got {grid!r}.")
    for settings in found if make is not None else ():
        _require_takes(make, settings)
    return found


def _require_takes(make: Any, settings: Settings) -> None:
    try:
        signature = inspect.signature(make)
    except ValueError:  # of what is written in C, sometimes none is known
        return
    try:
        signature.bind(**settings)
    except TypeError as error:
        takes = ", ".join(signature.parameters) or "nothing"
        raise ConfigError(
            f"An estimator cannot be made from the settings {', '.join(settings)}: {error}. It takes: {takes}."
        ) from None


def require_samples(X: Any, y: Any, name: str = "X") -> tuple[Any, np.ndarray]:
    """Samples (N, ...) as they are, lists as an array, and labels (N,) as an array.

    Raises:
        DataError: there are none, there are not as many labels as samples, or labels have not one dimension.
    """
    X = X if isinstance(X, (np.ndarray, Tensor)) else np.asarray(X)
    y = np.asarray(y)
    if y.ndim != 1:
        raise DataError(f"The labels of {name} must have shape (N,), got {y.shape}.")
    if X.ndim < 1 or len(X) != len(y):
        raise DataError(f"{name} has {len(X) if X.ndim else 0} samples but {len(y)} labels; it needs one for each.")
    if not len(y):
        raise DataError(f"{name} has no samples.")
    return X, y


def share_right(y: np.ndarray, predicted: np.ndarray) -> float:
    """Accuracy: the share of the predictions that equal their labels.

    Raises:
        DataError: there are not as many predictions as labels.
    """
    y, predicted = np.asarray(y), np.asarray(predicted)
    if y.shape != predicted.shape:
        raise DataError(f"{len(y)} samples need as many predictions, got shape {predicted.shape}.")
    return float(np.mean(predicted == y))


def scored(estimator: Any, X: Samples, y: np.ndarray, score: Score = share_right) -> float:
    """What a fitted estimator scores on samples (N, ...) with labels (N,)."""
    return float(score(y, np.asarray(estimator.predict(X))))

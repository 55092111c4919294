"""What was recorded of a run: its loss step by step, and what validation said epoch by epoch.

Letters: S logged steps, E finished epochs.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pellucid.core.errors import DataError

Ended = Literal["finished", "early", "non-finite"]
NONE: np.ndarray = np.empty(0)


@dataclass(frozen=True)
class Curve:
    """A recorded run, and what is known about it beside the records.

    Attributes:
        step: (S,) number of each logged step, rising.
        loss: (S,) training loss of one batch; NaN where it was not finite.
        lr: (S,) learning rate.
        gradient_norm: (S,) length of the gradient, or empty.
        epoch_step: (E,) steps that were done when each epoch ended.
        train_loss: (E,) mean training loss over each epoch.
        val_loss: (E,) validation loss, NaN where there was none.
        metric: (E,) the validation number that counts, NaN where there was none.
        higher_is_better: which way of `metric` is better.
        expected_loss: loss of a model that knows nothing; NaN when it is not known.
        chance: `metric` of the best answer that is always the same; NaN when it is not known.
        n_train, n_val: pictures of the two splits; 0 when it is not known.
        epochs: planned epochs; 0 when it is not known.
        weight_decay: of the run; NaN when it is not known.
        from_weights: whether it went on from trained weights, so that it starts low and has little to learn.
        ended: `early` when patience ended it, `non-finite` when a NaN or infinity did.
    """

    step: np.ndarray
    loss: np.ndarray
    lr: np.ndarray
    gradient_norm: np.ndarray = field(default_factory=lambda: NONE)
    epoch_step: np.ndarray = field(default_factory=lambda: NONE)
    train_loss: np.ndarray = field(default_factory=lambda: NONE)
    val_loss: np.ndarray = field(default_factory=lambda: NONE)
    metric: np.ndarray = field(default_factory=lambda: NONE)
    higher_is_better: bool = True
    expected_loss: float = math.nan
    chance: float = math.nan
    n_train: int = 0
    n_val: int = 0
    epochs: int = 0
    weight_decay: float = math.nan
    from_weights: bool = False
    ended: Ended = "finished"

    def __post_init__(self) -> None:
        steps = {"step": self.step, "loss": self.loss, "lr": self.lr}
        ends = {"epoch_step": self.epoch_step, "train_loss": self.train_loss}
        for group, optional in ((steps, {"gradient_norm": self.gradient_norm}), (ends, self._validation())):
            lengths = {name: len(values) for name, values in (group | optional).items()}
            wanted = next(iter(lengths.values()))
            wrong = {name: n for name, n in lengths.items() if n != wanted and not (name in optional and n == 0)}
            if wrong:
                name, n = next(iter(wrong.items()))
                raise DataError(f"A curve needs as many values of {name} as of {next(iter(group))}: {wanted}, got {n}.")

    def _validation(self) -> dict[str, np.ndarray]:
        return {"val_loss": self.val_loss, "metric": self.metric}

    @property
    def n_epochs(self) -> int:
        """E."""
        return len(self.epoch_step)


def read_curve(records: Iterable[Mapping[str, Any]], metric: str = "") -> Curve:
    """The curve of the records of `metrics.jsonl`; what else is known is filled in with `dataclasses.replace`.

    Args:
        records: one mapping a line, of kind `step` or `epoch`; others are passed over. null stands for NaN.
        metric: name of the validation number that counts, without its `val_`.
    """
    lines = list(records)
    steps = [record for record in lines if record.get("kind") == "step" and "loss" in record]
    ends = [record for record in lines if record.get("kind") == "epoch"]
    validated = any("val_loss" in record for record in ends)
    return Curve(
        step=_column(steps, "step"),
        loss=_column(steps, "loss"),
        lr=_column(steps, "lr"),
        gradient_norm=_column(steps, "gradient_norm"),
        epoch_step=_column(ends, "step"),
        train_loss=_column(ends, "train_loss"),
        val_loss=_column(ends, "val_loss") if validated else NONE,
        metric=_column(ends, f"val_{metric}") if validated and metric else NONE,
    )


def _column(records: Sequence[Mapping[str, Any]], name: str) -> np.ndarray:
    values = [record.get(name) for record in records]
    return np.array([math.nan if value is None else float(value) for value in values])

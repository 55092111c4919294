"""Solver: the loop that turns a net and data into a trained net.

Formula:
    repeat: batch of B samples, drawn at random -> loss and gradients -> update rule for each parameter
    epoch  = N // B steps;  after each: learning rate · lr_decay, accuracies, keep the best weights

Derivation:
    The net knows its loss and gradients, the rule knows how to use them, the solver knows neither: it draws, calls and
    counts. The weights that are kept are those with the best accuracy on the validation data, because those of the
    last step may already fit the noise of the training data; with them go the running statistics of batch norm, which
    belong to these weights. A step whose loss is not finite is not made.
    A checkpoint holds all that the next step reads, so a resumed training goes on with the same numbers.

Source: CS231n, assignment 2.
"""

import copy
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError, DataError, NonFiniteError, WeightsError
from pellucid.core.progress import make_progress
from pellucid.scratch.nets.checkpoint import read_checkpoint, write_checkpoint
from pellucid.scratch.optimisers.table import RULES

Arrays = dict[str, np.ndarray]
DATA = ("X_train", "y_train", "X_val", "y_val")
COUNTERS = ("iteration", "epoch", "best_val_acc")
HISTORIES = ("loss_history", "train_acc_history", "val_acc_history")


class Model(Protocol):
    """What a solver trains: `loss(X, y)` returns the loss and a gradient for each of `params`, `loss(X)` scores.

    If it has `bn_params` (a list of dicts with running statistics) or `rng` (a `np.random.Generator`), they are kept
    in checkpoints too.
    """

    params: Arrays

    def loss(self, X: np.ndarray, y: np.ndarray | None = None) -> Any:
        """Loss and gradients, or scores (N, C)."""


class Solver:
    """Train a classifier.

    Args:
        model: the net; its parameters are changed.
        data: X_train (N, ...), y_train (N,), X_val, y_val; y are integers.
        update_rule: a key of `RULES`.
        optim_config: settings of the rule, the same for every parameter: {"learning_rate": 1e-3}.
        lr_decay: factor of the learning rate after each epoch.
        batch_size: samples of a step, drawn with replacement.
        num_epochs: epochs of `train`.
        print_every: steps between two lines about the loss.
        verbose: speak on stderr; a function is told the lines instead.
        num_train_samples: how many training samples their accuracy is measured on; None for all.
        num_val_samples: the same of validation samples.
        checkpoint_name: if given, `<name>_epoch_<k>.npz` is written after each epoch.
        seed: of the batches.

    Attributes:
        loss_history: loss of each step.
        train_acc_history, val_acc_history: accuracies in 0..1 after the first step and after each epoch.
        gradient_norms: parameter -> mean length of its gradient in each epoch.
        best_val_acc, best_params: the best validation accuracy so far and its weights.
        iteration, epoch: steps and epochs made.
        diverged: whether training stopped at a loss that is not finite.

    Raises:
        ConfigError: unknown rule, or a batch size or number of epochs that is none.
        DataError: data without one of the four arrays, or of different lengths.
    """

    def __init__(  # noqa: PLR0913 - the names of the course, and a seed
        self,
        model: Model,
        data: Mapping[str, np.ndarray],
        update_rule: str = "sgd",
        optim_config: Mapping[str, Any] | None = None,
        lr_decay: float = 1.0,
        batch_size: int = 100,
        num_epochs: int = 10,
        print_every: int = 10,
        verbose: bool | Callable[[str], None] = True,
        num_train_samples: int | None = 1000,
        num_val_samples: int | None = None,
        checkpoint_name: str | None = None,
        *,
        seed: int = 0,
    ) -> None:
        _check_data(data)
        if batch_size < 1 or num_epochs < 0:
            raise ConfigError(
                f"batch_size must be 1 or more and num_epochs 0 or more, got {batch_size} and {num_epochs}."
            )
        self.model = model
        self.X_train, self.y_train, self.X_val, self.y_val = (np.asarray(data[name]) for name in DATA)
        self.rule = choose(update_rule, RULES, "update_rule")
        self.update_rule = update_rule
        self.lr_decay, self.batch_size, self.num_epochs = lr_decay, batch_size, num_epochs
        self.num_train_samples, self.num_val_samples = num_train_samples, num_val_samples
        self.checkpoint_name, self.print_every = checkpoint_name, print_every
        self.say = verbose if callable(verbose) else make_progress("lines" if verbose else "quiet").say
        self.rng = np.random.default_rng(seed)
        self.optim_configs: dict[str, dict[str, Any]] = {name: dict(optim_config or {}) for name in model.params}
        self.iteration = self.epoch = 0
        self.diverged = False
        self.loss_history: list[float] = []
        self.train_acc_history: list[float] = []
        self.val_acc_history: list[float] = []
        self.gradient_norms: dict[str, list[float]] = {name: [] for name in model.params}
        self.norm_sums = dict.fromkeys(model.params, 0.0)  # of the epoch that is going on
        self.best_val_acc = -math.inf
        self.best_params: Arrays = {}
        self.best_bn_params: list[dict[str, Any]] = []

    @property
    def iterations_per_epoch(self) -> int:
        """Steps of an epoch: N // B, at least 1."""
        return max(len(self.X_train) // self.batch_size, 1)

    def train(self) -> None:
        """Make all steps that are left, then give the model its best weights."""
        total = self.num_epochs * self.iterations_per_epoch
        try:
            while self.iteration < total:
                self.step()
        except NonFiniteError as error:
            self.diverged = True
            self.say(str(error))
        if self.best_params:
            self.model.params = self.best_params
            for settings, best in zip(self._bn_params(), self.best_bn_params, strict=True):
                settings.update(best)

    def step(self) -> None:
        """One batch, one update of every parameter, and what is due after it.

        Raises:
            NonFiniteError: the loss is NaN or infinite; the weights are as they were.
        """
        chosen = self.rng.choice(len(self.X_train), self.batch_size)
        loss, grads = self.model.loss(self.X_train[chosen], self.y_train[chosen])
        if not np.isfinite(loss):
            raise NonFiniteError(
                f"The loss became {loss} at iteration {self.iteration + 1}; the weights were left as they were. "
                f"Lower the learning rate."
            )
        if missing := self.model.params.keys() - grads.keys():
            raise DataError(f"The model's loss returned no gradient for {', '.join(sorted(missing))}.")
        self.loss_history.append(float(loss))
        for name, w in self.model.params.items():
            self.norm_sums[name] += float(np.linalg.norm(grads[name]))
            self.model.params[name], self.optim_configs[name] = self.rule(w, grads[name], self.optim_configs[name])
        self.iteration += 1
        total = self.num_epochs * self.iterations_per_epoch
        if self.iteration % self.print_every == 1 % self.print_every:
            self.say(f"(Iteration {self.iteration} / {total}) loss: {loss:f}")
        ended = self.iteration % self.iterations_per_epoch == 0
        if ended:
            self._end_epoch()
        if ended or self.iteration == 1:
            self._measure()
        if ended and self.checkpoint_name is not None:
            self.save(f"{self.checkpoint_name}_epoch_{self.epoch}.npz")

    def check_accuracy(
        self, X: np.ndarray, y: np.ndarray, num_samples: int | None = None, batch_size: int = 100
    ) -> float:
        """Share of right predictions.

        Args:
            X, y: samples (N, ...) and labels (N,).
            num_samples: of so many drawn at random, if there are more; None for all.
            batch_size: samples that are predicted at a time.
        """
        if num_samples is not None and len(X) > num_samples:
            chosen = self.rng.choice(len(X), num_samples)
            X, y = X[chosen], y[chosen]
        right = 0
        for start in range(0, len(X), batch_size):
            scores = self.model.loss(X[start : start + batch_size])
            right += int(np.sum(scores.argmax(axis=1) == y[start : start + batch_size]))
        return right / max(len(X), 1)

    def save(self, path: Path | str) -> None:
        """Write everything that the next step reads.

        Raises:
            WriteError: the place cannot be written.
        """
        state = self._state()
        arrays = {
            name: np.asarray(value) for name, value in state.items() if isinstance(value, np.ndarray | np.generic)
        }
        write_checkpoint(path, {name: value for name, value in state.items() if name not in arrays}, arrays)

    def resume(self, path: Path | str) -> None:
        """Go on where a solver of the same net and data was when it saved.

        Raises:
            WeightsError: the file is damaged, or belongs to another net, rule or data.
        """
        header, arrays = read_checkpoint(path)
        state = header | arrays
        self._check_fits(path, state)
        self.model.params = _below(state, "params/")
        self.best_params = _below(state, "best/")
        self.optim_configs = {name: _below(state, f"config/{name}/") for name in self.model.params}
        self.norm_sums = _below(state, "sums/")
        self.gradient_norms = {name: norms.tolist() for name, norms in _below(state, "norms/").items()}
        self.loss_history, self.train_acc_history, self.val_acc_history = (state[name].tolist() for name in HISTORIES)
        self.iteration, self.epoch, self.best_val_acc = (state[name] for name in COUNTERS)
        for number, settings in enumerate(self._bn_params()):
            settings.clear()
            settings.update(_below(state, f"bn/{number}/"))
        self.best_bn_params = [_below(state, f"best_bn/{number}/") for number in range(len(self._bn_params()))]
        for name, rng in self._generators().items():
            rng.bit_generator.state = state[name]

    def _state(self) -> dict[str, Any]:
        """Everything that changes in a step, by flat names: what JSON can hold, and arrays."""
        state: dict[str, Any] = {name: getattr(self, name) for name in COUNTERS}
        state |= {name: np.array(getattr(self, name), dtype=np.float64) for name in HISTORIES}
        state |= {"update_rule": self.update_rule, "n_train": len(self.X_train)}
        state |= {name: rng.bit_generator.state for name, rng in self._generators().items()}
        state |= {f"params/{name}": w for name, w in self.model.params.items()}
        state |= {f"best/{name}": w for name, w in self.best_params.items()}
        state |= {f"sums/{name}": value for name, value in self.norm_sums.items()}
        state |= {f"norms/{name}": np.array(norms, dtype=np.float64) for name, norms in self.gradient_norms.items()}
        for label, memories in (
            ("config", self.optim_configs),
            ("bn", dict(enumerate(self._bn_params()))),
            ("best_bn", dict(enumerate(self.best_bn_params))),
        ):
            for name, memory in memories.items():
                state |= {f"{label}/{name}/{key}": value for key, value in memory.items()}
        return state

    def _check_fits(self, path: Path | str, state: Mapping[str, Any]) -> None:
        """Refuse a checkpoint of another training.

        Raises:
            WeightsError: it is one.
        """
        theirs = {name: w.shape for name, w in _below(state, "params/").items()}
        ours = {name: w.shape for name, w in self.model.params.items()}
        pairs = (
            ("update_rule", state["update_rule"], self.update_rule),
            ("number of training samples", state["n_train"], len(self.X_train)),
            ("parameters", theirs, ours),
        )
        for what, saved, mine in pairs:
            if saved != mine:
                raise WeightsError(f"{path} was saved with {what} {saved}, this solver has {mine}; they must be equal.")

    def _generators(self) -> dict[str, np.random.Generator]:
        """What is drawn from: batches, and the model's own (dropout)."""
        model_rng = getattr(self.model, "rng", None)
        return {"rng": self.rng} | ({"model_rng": model_rng} if model_rng is not None else {})

    def _end_epoch(self) -> None:
        self.epoch += 1
        for name, total in self.norm_sums.items():
            self.gradient_norms[name].append(total / self.iterations_per_epoch)
            self.norm_sums[name] = 0.0
        for config in self.optim_configs.values():
            config["learning_rate"] *= self.lr_decay

    def _measure(self) -> None:
        train = self.check_accuracy(self.X_train, self.y_train, self.num_train_samples)
        val = self.check_accuracy(self.X_val, self.y_val, self.num_val_samples)
        self.train_acc_history.append(train)
        self.val_acc_history.append(val)
        self.say(f"(Epoch {self.epoch} / {self.num_epochs}) train acc: {train:f}; val_acc: {val:f}")
        if val > self.best_val_acc:
            self.best_val_acc = val
            self.best_params = {name: w.copy() for name, w in self.model.params.items()}
            self.best_bn_params = copy.deepcopy(self._bn_params())

    def _bn_params(self) -> list[dict[str, Any]]:
        return getattr(self.model, "bn_params", [])


def _below(state: Mapping[str, Any], label: str) -> dict[str, Any]:
    """What is named `label...`, without the label."""
    return {name.removeprefix(label): value for name, value in state.items() if name.startswith(label)}


def _check_data(data: Mapping[str, np.ndarray]) -> None:
    missing = [name for name in DATA if name not in data]
    if missing:
        raise DataError(f"data needs {', '.join(DATA)}; not there: {', '.join(missing)}.")
    for part in ("train", "val"):
        samples, labels = len(data[f"X_{part}"]), len(data[f"y_{part}"])
        if samples != labels:
            raise DataError(f"X_{part} has {samples} samples, y_{part} {labels} labels; they must be as many.")
    if not len(data["X_train"]):
        raise DataError("X_train is empty: there is nothing to train on.")

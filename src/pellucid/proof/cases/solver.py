"""Proofs of the training loop: the same by hand, the same after a stop, and what the best weights are."""

import io
import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.core.errors import PellucidError
from pellucid.core.files import write_bytes
from pellucid.proof.case import Case, Check, Subject
from pellucid.scratch.nets import checkpoint, decision_regions, solver
from pellucid.scratch.nets.fully_connected import FullyConnectedNet
from pellucid.scratch.nets.two_layer import TwoLayerNet


def _clouds(n: int = 11, n_val: int = 9) -> dict[str, np.ndarray]:
    """Three clouds in the plane, samples to train on and to validate."""
    rng = np.random.default_rng(0)
    y, y_val = rng.integers(3, size=n), rng.integers(3, size=n_val)
    X, X_val = (
        np.stack([np.cos(2 * k), np.sin(2 * k)], 1) + 0.4 * rng.standard_normal((len(k), 2)) for k in (y, y_val)
    )
    return {"X_train": X, "y_train": y, "X_val": X_val, "y_val": y_val}


def _net() -> FullyConnectedNet:
    """With running statistics and with random masks, so that there is something to forget."""
    return FullyConnectedNet(
        [5], 2, 3, normalization="batchnorm", dropout_keep_ratio=0.7, weight_scale=0.7, dtype=np.float64
    )


def _far(ours: Any, theirs: Any) -> float:
    """Largest difference of two histories, or of two dictionaries of arrays; infinite where they are not alike."""
    if isinstance(ours, Mapping):
        if ours.keys() != theirs.keys():
            return math.inf
        return max((_far(ours[name], theirs[name]) for name in ours), default=0.0)
    if isinstance(ours, str):
        return float(ours != theirs)
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    return float(np.abs(ours - theirs).max(initial=0)) if ours.shape == theirs.shape else math.inf


def _by_hand(data: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Three epochs of momentum in batches of 4, and all that a solver should remember of them."""
    net, rng = _net(), np.random.default_rng(0)
    velocity = {name: np.zeros_like(w) for name, w in net.params.items()}
    lr, losses, lengths, lines = 0.1, [], [], []
    found: dict[str, Any] = {"train": [], "val": [], "norms": {name: [] for name in net.params}, "best": (-1.0, {}, {})}
    for step in range(6):  # 11 // 4 = 2 steps an epoch
        rows = rng.choice(11, 4)
        loss, grads = net.loss(data["X_train"][rows], data["y_train"][rows])
        losses.append(loss)
        lengths.append({name: np.sqrt((grad**2).sum()) for name, grad in grads.items()})
        for name in net.params:
            velocity[name] = 0.9 * velocity[name] - lr * grads[name]
            net.params[name] = net.params[name] + velocity[name]
        if step in (0, 3):
            lines.append(f"(Iteration {step + 1} / 6) loss: {loss:f}")
        if step % 2:
            lr = 0.5 * lr
            for name in net.params:
                found["norms"][name].append((lengths[-1][name] + lengths[-2][name]) / 2)
        if step % 2 or step == 0:
            rows = rng.choice(11, 7)
            train = float(np.mean(net.predict(data["X_train"][rows]) == data["y_train"][rows]))
            rows = rng.choice(9, 6)
            val = float(np.mean(net.predict(data["X_val"][rows]) == data["y_val"][rows]))
            found["train"].append(train)
            found["val"].append(val)
            lines.append(f"(Epoch {(step + 1) // 2} / 3) train acc: {train:f}; val_acc: {val:f}")
            if val > found["best"][0]:
                found["best"] = (val, {k: w.copy() for k, w in net.params.items()}, dict(net.bn_params[0]))
    return {**found, "losses": losses, "lr": lr, "lines": lines, "velocity": velocity}


BOX = (-2.0, -2.0, 2.0, 2.0)
SETTINGS: dict[str, Any] = {
    "update_rule": "sgd_momentum",
    "optim_config": {"learning_rate": 0.1},
    "lr_decay": 0.5,
    "batch_size": 4,
    "num_epochs": 3,
    "print_every": 3,
    "num_train_samples": 7,
    "num_val_samples": 6,
}


def solver_cases(layer: Any) -> Sequence[Case]:
    """A training of six steps."""
    data = _clouds()

    def make(folder: str | None = None, **changes: Any) -> Any:
        name = None if folder is None else str(Path(folder) / "run")
        return layer.Solver(_net(), data, **{**SETTINGS, "verbose": False, "checkpoint_name": name, **changes})

    def loop() -> float:
        said: list[str] = []
        ours, wanted = make(verbose=said.append), _by_hand(data)
        ours.train()
        best, weights, statistics = wanted["best"]
        errors = [
            _far(ours.loss_history, wanted["losses"]),
            _far(ours.train_acc_history, wanted["train"]),
            _far(ours.val_acc_history, wanted["val"]),
            _far(ours.gradient_norms, wanted["norms"]),
            _far(ours.best_val_acc, best),
            _far(ours.model.params, weights),
            _far({**ours.model.bn_params[0], "mode": ""}, {**statistics, "mode": ""}),
            *(_far(ours.optim_configs[name]["learning_rate"], wanted["lr"]) for name in weights),
            *(_far(ours.optim_configs[name]["velocity"], wanted["velocity"][name]) for name in weights),
        ]
        return max(errors) + float(said != wanted["lines"]) + abs(ours.iteration - 6) + abs(ours.epoch - 3)

    def resumed(steps: int) -> float:
        """Stop after so many steps, go on in a new solver; and from the file that an epoch leaves."""
        with tempfile.TemporaryDirectory() as folder:
            straight, first, second = make(), make(folder), make()
            for _ in range(steps):
                first.step()
            first.save(Path(folder) / "stop.npz")
            second.resume(Path(folder) / "stop.npz")
            left = abs(second.iteration - steps)
            straight.train()
            second.train()
            files = sorted(path.name for path in Path(folder).glob("run*"))
            wanted = [f"run_epoch_{k}.npz" for k in range(1, steps // 2 + 1)]
        return left + float(files != wanted) + _far(_remembered(second), _remembered(straight))

    return [
        Check("training by hand", loop),
        *(Check(f"resumed after {steps} steps", partial(resumed, steps)) for steps in (0, 1, 2, 5)),
        *_edge_cases(layer, data, make),
        *_refused(layer, data, make),
    ]


def _edge_cases(layer: Any, data: Mapping[str, np.ndarray], make: Callable[..., Any]) -> Sequence[Case]:
    """What is assumed where nothing is said, and accuracies of few and of no samples."""

    def defaults() -> float:
        """A hundred samples a step of all that there are, ten epochs, by plain descent, 1000 samples measured."""
        plain = layer.Solver(TwoLayerNet(2, 4, 3, weight_scale=0.5), data, verbose=False)
        told = layer.Solver(
            TwoLayerNet(2, 4, 3, weight_scale=0.5), data, "sgd", {}, 1.0, 100, 10, 10, False, 1000, None, None, seed=0
        )
        for each in (plain, told):
            each.train()
        many = {"X_train": np.zeros((1100, 2)), "y_train": np.zeros(1100, int)}
        big = layer.Solver(TwoLayerNet(2, 4, 3), {**data, **many}, verbose=False)
        after, before = np.random.default_rng(0), np.random.default_rng(0)
        big.step()
        before.choice(1100, 100)
        after.choice(1100, 100)
        after.choice(1100, 1000)
        wrong = float(big.rng.bit_generator.state != after.bit_generator.state) + float(plain.diverged)
        with redirect_stderr(io.StringIO()) as said:
            layer.Solver(TwoLayerNet(2, 4, 3), data, num_epochs=11).train()
            layer.Solver(TwoLayerNet(2, 4, 3), data, verbose=False).train()
        wrong += abs(said.getvalue().count("Iteration") - 2) + abs(said.getvalue().count("Epoch") - 11)
        return wrong + _far(plain.loss_history, told.loss_history) + abs(len(plain.loss_history) - 10)

    def accuracy() -> float:
        """Batches do not matter; of nothing, nothing is right."""
        one = make()
        right = float(np.mean(one.model.predict(data["X_train"]) == data["y_train"]))
        shares = [one.check_accuracy(data["X_train"], data["y_train"], batch_size=size) for size in (1, 4, 100)]
        shares.append(one.check_accuracy(data["X_train"], data["y_train"], 11))
        single = [one.check_accuracy(data["X_train"][k : k + 1], data["y_train"][k : k + 1]) for k in range(11)]
        shares.append(float(np.mean(single)))
        sizes: list[int] = []

        empty = one.check_accuracy(data["X_train"][:0], data["y_train"][:0])

        def counted(X: np.ndarray) -> np.ndarray:
            sizes.append(len(X))
            return np.zeros((len(X), 3))

        one.model.loss = counted
        one.check_accuracy(np.zeros((250, 2)), np.zeros(250, int))
        return max(abs(share - right) for share in shares) + empty + float(sizes != [100, 100, 50])

    return [
        Check("defaults of a solver", defaults),
        Check("accuracy in batches", accuracy),
    ]


def _refused(layer: Any, data: Mapping[str, np.ndarray], make: Callable[..., Any]) -> Sequence[Case]:
    """Steps, settings and files that are refused."""

    def diverging() -> float:
        """A step that would spoil the weights is not made."""
        one = make()
        one.step()
        kept = {name: w.copy() for name, w in one.model.params.items()}
        one.X_train = np.full_like(one.X_train, np.nan)
        one.train()
        return _far(one.model.params, kept) + float(not one.diverged) + abs(len(one.loss_history) - 1)

    def refusals() -> float:
        """How many wrong settings, data or checkpoints were taken."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.npz"
            make().save(path)
            other = {**data, "X_train": data["X_train"][:5], "y_train": data["y_train"][:5]}
            attempts: list[Callable[[], Any]] = [
                lambda: make(batch_size=0),
                lambda: make(num_epochs=-1),
                lambda: make(update_rule="adam").resume(path),
                lambda: layer.Solver(TwoLayerNet(2, 5, 3), data, "sgd_momentum").resume(path),
                lambda: layer.Solver(_net(), other, **SETTINGS).resume(path),
                lambda: layer.Solver(_net(), {**data, "y_val": data["y_val"][:2]}),
                lambda: layer.Solver(_net(), {"X_train": data["X_train"]}),
            ]
            taken = 0
            for attempt in attempts:
                try:
                    attempt()
                    taken += 1
                except PellucidError:
                    continue
        make(batch_size=1, num_epochs=0)
        return float(taken)

    return [
        Check("a loss that is not finite", diverging),
        Check("what does not fit a solver", refusals),
    ]


def _remembered(one: Any) -> dict[str, Any]:
    """What two solvers must agree on at the end."""
    names = ("loss_history", "train_acc_history", "val_acc_history", "best_val_acc", "iteration", "epoch")
    config = {f"{name}/{key}": value for name, memory in one.optim_configs.items() for key, value in memory.items()}
    return {name: getattr(one, name) for name in names} | {
        "params": one.model.params,
        "best": one.best_params,
        "bn": one.model.bn_params[0],
        "norms": one.gradient_norms,
        "sums": one.norm_sums,
        "config": config,
        "rng": np.array(json.dumps(one.rng.bit_generator.state)).item(),
    }


def checkpoint_cases(layer: Any) -> Sequence[Case]:
    """What is written is read again, and what is damaged is refused."""

    def round_trip() -> float:
        header = {"a": 1, "b/c": [0.1, 2.5], "big": 2**100}
        arrays = {"w/1": np.arange(6.0).reshape(2, 3), "n": np.array(3), "f": np.ones(2, np.float32)}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "deeper" / "a.npz"
            layer.write_checkpoint(path, header, arrays)
            words, numbers = layer.read_checkpoint(path)
            with np.load(path, allow_pickle=False) as archive:
                readable = sorted(archive.files) == sorted([*arrays, layer.HEADER])
        kinds = [numbers[name].dtype == array.dtype for name, array in arrays.items()]
        return float(words != header) + _far(numbers, arrays) + float(not all(kinds)) + float(not readable)

    def no_code() -> float:
        """Neither is an object written, nor one read, because reading it would run what it says."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.npz"
            taken = 0
            try:
                layer.write_checkpoint(path, {}, {"object": np.array([{}, None], dtype=object)})
                taken += 1
            except ValueError:
                taken += path.exists()
            write_bytes(path, b"no zip")
            for wrong in (path, Path(folder) / "not there"):
                try:
                    layer.read_checkpoint(wrong)
                    taken += 1
                except PellucidError:
                    continue
        return float(taken)

    return [Check("checkpoint, there and back", round_trip), Check("checkpoint without code", no_code)]


def decision_regions_cases(layer: Any) -> Sequence[Case]:
    """Shapes whose pieces can be counted, and a table of two nets."""
    board = np.array([[0, 0, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 0, 0]])  # two snakes, and three corners

    def shapes() -> float:
        pieces = layer.region_count(lambda _: board.ravel(), (0, 0, 1, 1), 4)
        seen: list[np.ndarray] = []

        def right(x: np.ndarray) -> np.ndarray:
            seen.append(x)
            return x[:, 0] > 0.5

        halves = layer.region_count(right, (-1, 2, 1, 8))
        corners = np.array([seen[0].min(axis=0), seen[0].max(axis=0)])
        error = (
            _far(corners, np.array([[-1.0, 2.0], [1.0, 8.0]]))
            + _far(seen[0][0], corners[0])
            + _far(seen[0][1] - seen[0][0], np.array([2 / 99, 0.0]))
        )
        return abs(pieces - 6) + abs(halves - 2) + error + abs(len(seen[0]) - 10_000)

    def table() -> float:
        """The last weights of nets trained as written, and not a word."""
        data = _clouds(110, 1000)
        wanted = []
        for hidden in ([1], [7, 5]):
            net = FullyConnectedNet(hidden, 2, 3, weight_scale="auto", seed=0)
            one = solver.Solver(net, data, "adam", {"learning_rate": 2e-2}, batch_size=50, verbose=False)
            for _ in range(3 * 2):
                one.step()
            train, val = (float(np.mean(net.predict(data[f"X_{k}"]) == data[f"y_{k}"])) for k in ("train", "val"))
            wanted.append((tuple(hidden), layer.region_count(net.predict, BOX), train, val))
        with redirect_stderr(io.StringIO()) as said:
            rows = layer.capacity_table([[1], [7, 5]], data, BOX, num_epochs=3)
        found = [(row.hidden, row.regions, row.train_accuracy, row.val_accuracy) for row in rows]
        wrong = float(found != wanted) + float(rows != layer.capacity_table([[1], [7, 5]], data, BOX, 3, seed=0))
        noise = {**_clouds(40, 1000), "y_train": np.random.default_rng(1).integers(3, size=40)}  # never learnt for good
        wrong += float(layer.capacity_table([[9]], noise, BOX) != layer.capacity_table([[9]], noise, BOX, 100))
        return wrong + float(said.getvalue() != "") + abs(rows[1].gap - (wanted[1][2] - wanted[1][3]))

    return [Check("regions", shapes), Check("capacity", table)]


SUBJECTS: dict[str, Subject] = {
    "solver": Subject(solver, solver_cases),
    "checkpoint": Subject(checkpoint, checkpoint_cases),
    "decision-regions": Subject(decision_regions, decision_regions_cases),
}

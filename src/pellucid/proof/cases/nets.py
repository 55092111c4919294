"""Proofs of the networks: loss and gradients beside PyTorch and beside differences, test mode, first weights."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.core.errors import PellucidError
from pellucid.proof.case import Case, Check, Subject
from pellucid.scratch.checks.gradcheck import check_gradient
from pellucid.scratch.nets import fully_connected, three_layer_convnet, two_layer

Tensors = dict[str, torch.Tensor]
Twin = Callable[[Tensors, torch.Tensor], torch.Tensor]

STRENGTHS = (0.0, 3.14)
TOLERANCE = 1e-6


def _tensors(net: Any) -> Tensors:
    return {name: torch.tensor(w, requires_grad=True) for name, w in net.params.items()}


def _distance(ours: Any, theirs: Any) -> float:
    """Largest difference; infinite for another shape."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    return float(np.abs(ours - theirs).max()) if ours.shape == theirs.shape else math.inf


def _beside_torch(net: Any, twin: Twin, X: np.ndarray, y: np.ndarray) -> float:
    """Loss and all gradients against PyTorch's, for the same weights."""
    loss, grads = net.loss(X, y)
    tensors = _tensors(net)
    theirs = F.cross_entropy(twin(tensors, torch.from_numpy(X)), torch.from_numpy(y))
    theirs = theirs + net.reg / 2 * sum((w**2).sum() for name, w in tensors.items() if name[0] == "W")
    theirs.backward()
    errors = [_distance(grads[name], tensor.grad) for name, tensor in tensors.items()]
    return max(abs(loss - theirs.item()), *errors) + float(grads.keys() != tensors.keys())


def _beside_differences(net: Any, X: np.ndarray, y: np.ndarray) -> float:
    """The largest error of a gradient check over all parameters."""
    _, grads = net.loss(X, y)
    reports = [check_gradient(lambda w: net.loss(X, y)[0], net.params[name], grads[name]) for name in net.params]
    return max(report.error for report in reports)


def _unlike_the_start(net: Any, rng: np.random.Generator) -> None:
    """Biases, scales and shifts that are neither 0 nor 1."""
    for name, w in net.params.items():
        if name[0] != "W":
            net.params[name] = w + 0.5 * rng.standard_normal(w.shape)


def _first_weights(make: Callable[..., Any], shapes: dict[str, tuple[int, ...]], scale: float, plain: str) -> float:
    """Shapes, spread and seed of a net as it comes."""
    net, same, other = make(), make(seed=0), make(seed=1)
    wrong = float({name: w.shape for name, w in net.params.items()} != shapes)
    wrong += sum(float(np.any(w != same.params[name])) for name, w in net.params.items())
    for name, w in net.params.items():
        if name[0] == "W":
            wrong += float(np.all(w == other.params[name]))
            wrong += float(not 0.85 < w.std() / scale < 1.15) + float(abs(w.mean()) > 0.15 * scale)
        else:
            wrong += float(np.any(w != (1 if name.startswith("gamma") else 0)))
    return wrong + float(net.params["W1"].dtype != plain) + float(net.reg != 0)


def two_layer_cases(layer: Any) -> Sequence[Case]:
    """Five samples of rank 3, four hidden units, three classes."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((5, 2, 3)), rng.integers(3, size=5)

    def net(reg: float) -> Any:
        made = layer.TwoLayerNet(6, 4, 3, weight_scale=0.7, reg=reg)
        _unlike_the_start(made, np.random.default_rng(1))
        return made

    def scores(p: Tensors, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x.flatten(1) @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]

    def prediction() -> float:
        made = net(0.5)
        wanted = scores(_tensors(made), torch.from_numpy(X)).detach().numpy()
        wrong = float(np.any(made.predict(X) != wanted.argmax(1)))
        return _distance(made.loss(X), wanted) + _distance(made.scores(X), wanted) + wrong

    def start() -> float:
        shapes: dict[str, tuple[int, ...]] = {"W1": (3072, 100), "b1": (100,), "W2": (100, 10), "b2": (10,)}
        return _first_weights(layer.TwoLayerNet, shapes, 1e-3, "float64")

    return [
        *(Check(f"two layers, reg {reg:g}", partial(_beside_torch, net(reg), scores, X, y)) for reg in STRENGTHS),
        *(
            Check(
                f"two layers by differences, reg {reg:g}",
                partial(_beside_differences, net(reg), X, y),
                TOLERANCE,
            )
            for reg in STRENGTHS
        ),
        Check("scores and predictions of two layers", prediction),
        Check("first weights of two layers", start),
    ]


KEEP, SEED = 0.6, 5


def _fully_connected_scores(net: Any, training: bool) -> Twin:
    """The same net by PyTorch: normalisation, ReLU, dropout with the same mask."""

    def scores(p: Tensors, x: torch.Tensor) -> torch.Tensor:
        x = x.flatten(1)
        last = sum(name[0] == "W" for name in p)
        for number in range(1, last):
            x = x @ p[f"W{number}"] + p[f"b{number}"]
            if net.normalization == "batchnorm":
                seen = net.bn_params[number - 1]
                mean, var = torch.tensor(seen["running_mean"]), torch.tensor(seen["running_var"])
                x = F.batch_norm(x, mean, var, p[f"gamma{number}"], p[f"beta{number}"], training)
            elif net.normalization == "layernorm":
                x = F.layer_norm(x, x.shape[1:], p[f"gamma{number}"], p[f"beta{number}"])
            x = F.relu(x)
            if net.dropout_param and training:
                draws = np.random.RandomState(SEED).random_sample(tuple(x.shape))  # the generator that a seed asks for
                x = x * torch.from_numpy(draws < KEEP) / KEEP
        return x @ p[f"W{last}"] + p[f"b{last}"]

    return scores


def _fully_connected_settings(layer: Any, X: np.ndarray, y: np.ndarray) -> Sequence[Case]:
    """What the settings of a net of any depth mean."""

    def start() -> float:
        def make(seed: int | None = None) -> Any:
            return layer.FullyConnectedNet([30, 20], normalization="batchnorm", seed=seed)

        shapes: dict[str, tuple[int, ...]] = {"W1": (3072, 30), "W2": (30, 20), "W3": (20, 10), "b3": (10,)}
        shapes |= {f"{name}1": (30,) for name in ("b", "gamma", "beta")}
        shapes |= {f"{name}2": (20,) for name in ("b", "gamma", "beta")}
        wrong = _first_weights(make, shapes, 1e-2, "float32")
        auto = layer.FullyConnectedNet([300], 200, 100, weight_scale="auto").params
        wrong += float(not 0.9 < auto["W1"].std() / math.sqrt(2 / 200) < 1.1)
        wrong += float(not 0.9 < auto["W2"].std() / math.sqrt(1 / 300) < 1.1)
        scores = make().loss(np.ones((2, 3072)))
        return wrong + float(scores.dtype != np.float32) + float(make().dropout_param != {})

    def masks() -> float:
        """Without a seed dropout draws anew in each call, and a net made again draws the same."""
        first, second = (
            layer.FullyConnectedNet([40], 6, 3, dropout_keep_ratio=0.5, weight_scale=1.0) for _ in range(2)
        )
        losses = [first.loss(X, y)[0] for _ in range(3)]
        again = [second.loss(X, y)[0] for _ in range(3)]
        return float(losses != again) + float(len(set(losses)) != 3)

    def refusals() -> float:
        """How many impossible settings were taken, and possible ones not."""
        taken = 0
        for settings in ({"dropout_keep_ratio": 0}, {"dropout_keep_ratio": 1.1}, {"normalization": "groupnorm"}):
            try:
                layer.FullyConnectedNet([2], 3, 2, **settings)
            except PellucidError:
                continue
            taken += 1
        return float(taken + bool(layer.FullyConnectedNet([2], 3, 2, dropout_keep_ratio=1).dropout_param))

    return [
        Check("first weights at any depth", start),
        Check("masks of dropout", masks),
        Check("settings that cannot be", refusals),
    ]


def fully_connected_cases(layer: Any) -> Sequence[Case]:
    """Three layers, with each normalisation and with dropout; four layers; one layer."""
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((5, 3, 2)), rng.integers(3, size=5)
    kinds: dict[str, dict[str, Any]] = {
        "plain": {},
        "batch norm": {"normalization": "batchnorm"},
        "layer norm": {"normalization": "layernorm"},
        "dropout": {"dropout_keep_ratio": KEEP, "seed": SEED},
        "batch norm and dropout": {"normalization": "batchnorm", "dropout_keep_ratio": KEEP, "seed": SEED},
    }

    def net(hidden: Sequence[int], settings: dict[str, Any]) -> Any:
        made = layer.FullyConnectedNet(
            hidden, input_dim=6, num_classes=3, weight_scale=0.9, dtype=np.float64, **{"reg": 0.0, **settings}
        )
        _unlike_the_start(made, np.random.default_rng(3))
        return made

    def torch_error(hidden: Sequence[int], settings: dict[str, Any]) -> float:
        """In training, then in test mode with the statistics that training left."""
        made = net(hidden, settings)
        made.loss(X, y)
        error = _beside_torch(made, _fully_connected_scores(made, True), X, y)
        wanted = _fully_connected_scores(made, False)(_tensors(made), torch.from_numpy(X)).detach().numpy()
        wrong = float(np.any(made.predict(X) != wanted.argmax(1)))
        return error + _distance(made.loss(X), wanted) + wrong

    cases: list[Case] = []
    for kind, settings in kinds.items():
        for reg in STRENGTHS:
            both = {**settings, "reg": reg}
            cases.append(Check(f"{kind}, reg {reg:g}", partial(torch_error, [4, 3], both)))
        cases.append(Check(f"{kind} by differences", partial(_beside_differences, net([4, 3], both), X, y), TOLERANCE))
    return [
        *cases,
        Check("four layers", lambda: torch_error([4, 2, 5], {"normalization": "batchnorm"})),
        Check("one layer", lambda: torch_error([], {"reg": 0.3})),
        *_fully_connected_settings(layer, X, y),
    ]


def three_layer_convnet_cases(layer: Any) -> Sequence[Case]:
    """Pictures that are not square, with an odd side; two kernels of 3 x 3, or of 2 x 2."""
    rng = np.random.default_rng(10)
    X, y = 2 * rng.standard_normal((4, 2, 4, 5)), rng.integers(3, size=4)

    def net(reg: float, size: int) -> Any:
        made = layer.ThreeLayerConvNet((2, 4, 5), 2, size, 4, 3, weight_scale=0.5, reg=reg, dtype=np.float64)
        _unlike_the_start(made, np.random.default_rng(5))
        return made

    def scores(p: Tensors, x: torch.Tensor) -> torch.Tensor:
        maps = F.relu(F.conv2d(x, p["W1"], p["b1"], padding=(p["W1"].shape[2] - 1) // 2))
        hidden = F.relu(F.max_pool2d(maps, 2).flatten(1) @ p["W2"] + p["b2"])
        return hidden @ p["W3"] + p["b3"]

    def prediction() -> float:
        made = net(0.5, 3)
        wanted = scores(_tensors(made), torch.from_numpy(X)).detach().numpy()
        wrong = float(np.any(made.predict(X) != wanted.argmax(1))) + float(len(set(wanted.argmax(1))) == 1)
        return _distance(made.loss(X), wanted) + wrong

    def start() -> float:
        shapes: dict[str, tuple[int, ...]] = {"W1": (32, 3, 7, 7), "W2": (8192, 100), "W3": (100, 10)}
        shapes |= {"b1": (32,), "b2": (100,), "b3": (10,)}
        even = layer.ThreeLayerConvNet(filter_size=2).params["W2"]  # maps of 31 x 31, so 15 x 15 after pooling
        return _first_weights(layer.ThreeLayerConvNet, shapes, 1e-3, "float32") + float(len(even) != 32 * 15 * 15)

    def precision() -> float:
        made = layer.ThreeLayerConvNet((2, 4, 5), 2, 3, 4, 3)
        return float(made.loss(X).dtype != np.float32)

    return [
        *(
            Check(f"convnet {size} x {size}, reg {reg:g}", partial(_beside_torch, net(reg, size), scores, X, y))
            for size in (3, 2)
            for reg in STRENGTHS
        ),
        Check("convnet by differences", lambda: _beside_differences(net(3.14, 3), X, y), TOLERANCE),
        Check("scores and predictions of a convnet", prediction),
        Check("first weights of a convnet", start),
        Check("precision of a convnet", precision),
    ]


SUBJECTS: dict[str, Subject] = {
    "two-layer-net": Subject(two_layer, two_layer_cases),
    "fully-connected-net": Subject(fully_connected, fully_connected_cases),
    "three-layer-convnet": Subject(three_layer_convnet, three_layer_convnet_cases),
}

"""Proofs of dropout and its relatives.

What they draw is fixed by a seed, so that a gradient can be checked; that the draws are what they should be is
proven of the mask.
"""

# ruff: noqa: NPY002 - what a seed and the global state of NumPy give is what is proven here

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.proof.case import Case, Check, Layer, Subject
from pellucid.scratch.regularisation import channel_dropout, dropconnect, dropout, random_mask, stochastic_depth

TRAIN = {"mode": "train", "p": 0.6, "seed": 7}
TEST = {"mode": "test", "p": 0.6}


def _drawn(shape: Any, param: dict[str, Any]) -> Any:
    """The mask of a seed as a tensor, from NumPy's own uniform numbers."""
    return torch.from_numpy(np.asarray(np.random.RandomState(param["seed"]).random_sample(tuple(shape)) < param["p"]))


class _Constant:
    """A generator whose numbers are all the same."""

    def __init__(self, value: float) -> None:
        self.value = value

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, self.value)


def random_mask_cases(layer: Any) -> Sequence[Case]:
    """How many are kept, from which generator, and what is read from the settings."""

    def share() -> float:
        """Of 10,000 draws with p = 0.3 the share is within four standard deviations."""
        kept = layer.keep_mask((100, 100), {"p": 0.3, "rng": np.random.default_rng(0)})
        return abs(float(kept.mean()) - 0.3)

    def of_a_seed() -> float:
        """The course's mask for this seed, whatever generator lies beside it; NumPy's global state is left alone."""
        before = repr(np.random.get_state())
        mask = layer.keep_mask((3, 4), {"p": 0.6, "seed": 7, "rng": _Constant(0.0)})
        different = np.sum(mask != _drawn((3, 4), TRAIN).numpy())
        return float(different) + (repr(np.random.get_state()) != before)

    def of_the_global_state() -> float:
        state = np.random.get_state()
        np.random.seed(7)
        mask = layer.keep_mask((3, 4), {"p": 0.6, "seed": None})
        np.random.set_state(state)
        return float(np.sum(mask != _drawn((3, 4), TRAIN).numpy()))

    def at_the_ends() -> float:
        """With p = 0 nothing is kept, also of a draw of exactly 0."""
        return float(layer.keep_mask((2,), {"p": 0.0, "rng": _Constant(0.0)}).sum())

    def settings() -> float:
        read = [layer.read_param({"mode": mode, "p": 0.25}, "param") for mode in ("train", "test")]
        return float(read != [(True, 0.25), (False, 0.25)])

    return [
        Check("share of a random mask", share, 4 * (0.3 * 0.7 / 10_000) ** 0.5),
        Check("random mask of a seed", of_a_seed),
        Check("random mask of the global state", of_the_global_state),
        Check("random mask with p = 0", at_the_ends),
        Check("mode and p of the settings", settings),
    ]


def _draw(*shape: int, param: dict[str, Any]) -> Any:
    return lambda rng: (rng.standard_normal(shape), param)


def dropout_cases(layer: Any) -> Sequence[Case]:
    """Both forms in both modes."""
    inputs = {
        "training, rank 2": _draw(3, 4, param=TRAIN),
        "training, rank 4": _draw(2, 1, 3, 2, param={**TRAIN, "p": 0.3}),
        "training, one sample": _draw(1, 6, param={**TRAIN, "p": 1.0}),
        "test": _draw(3, 4, param=TEST),
    }

    def inverted(x: Any, dropout_param: dict[str, Any]) -> Any:
        training = dropout_param["mode"] == "train"
        return x * _drawn(x.shape, dropout_param) / dropout_param["p"] if training else x * 1

    def vanilla(x: Any, dropout_param: dict[str, Any]) -> Any:
        training = dropout_param["mode"] == "train"
        return x * _drawn(x.shape, dropout_param) if training else x * dropout_param["p"]

    return [
        Layer("dropout", layer.dropout_forward, layer.dropout_backward, inputs, ("x",), ("x",), inverted),
        Layer(
            "vanilla dropout",
            layer.vanilla_dropout_forward,
            layer.vanilla_dropout_backward,
            inputs,
            ("x",),
            ("x",),
            vanilla,
        ),
    ]


def channel_dropout_cases(layer: Any) -> Sequence[Case]:
    """One number for each sample and channel."""

    def twin(x: Any, dropout_param: dict[str, Any]) -> Any:
        if dropout_param["mode"] == "test":
            return x * 1
        drawn = _drawn(x.shape[:2], dropout_param)
        return (x.flatten(2) * drawn.unsqueeze(2)).reshape(x.shape) / dropout_param["p"] if x.ndim > 2 else x * drawn

    def whole_channels() -> float:
        out, _ = layer.channel_dropout_forward(np.ones((4, 5, 3, 2)), TRAIN)
        per_channel = out.reshape(20, 6)
        some_of_each = 0 < np.count_nonzero(per_channel) < out.size
        return float(np.ptp(per_channel, axis=1).max()) + (not some_of_each)

    return [
        Layer(
            "channel dropout",
            layer.channel_dropout_forward,
            layer.channel_dropout_backward,
            inputs={
                "training, rank 4": _draw(3, 4, 2, 3, param=TRAIN),
                "training, one sample, rank 3": _draw(1, 5, 3, param={**TRAIN, "p": 0.3}),
                "training, rank 2": _draw(3, 4, param={**TRAIN, "p": 1.0}),
                "test": _draw(2, 3, 2, 1, param=TEST),
            },
            gradients=("x",),
            linear=("x",),
            twin=twin,
        ),
        Check("channel dropout leaves out whole channels", whole_channels),
    ]


def dropconnect_cases(layer: Any) -> Sequence[Case]:
    """An affine layer with other weights."""

    def draw(*shape: int, param: dict[str, Any]) -> Any:
        d = int(np.prod(shape[1:]))
        return lambda rng: (
            rng.standard_normal(shape),
            rng.standard_normal((d, 5)),
            rng.standard_normal(5),
            param,
        )

    def twin(x: Any, w: Any, b: Any, dropout_param: dict[str, Any]) -> Any:
        training = dropout_param["mode"] == "train"
        masked = w * _drawn(w.shape, dropout_param) / dropout_param["p"] if training else w
        return F.linear(x.flatten(1), masked.T, b)

    return [
        Layer(
            "dropconnect",
            layer.dropconnect_forward,
            layer.dropconnect_backward,
            inputs={
                "training, rank 2": draw(3, 4, param=TRAIN),
                "training, rank 3": draw(2, 2, 3, param={**TRAIN, "p": 0.3}),
                "training, one sample": draw(1, 6, param=TRAIN),
                "test": draw(3, 4, param=TEST),
            },
            gradients=("x", "w", "b"),
            linear=("x", "w", "b"),
            twin=twin,
        )
    ]


def stochastic_depth_cases(layer: Any) -> Sequence[Case]:
    """A branch that is there, one that is not, and one that is scaled."""

    def draw(*shape: int, param: dict[str, Any]) -> Any:
        return lambda rng: (rng.standard_normal(shape), rng.standard_normal(shape), param)

    def twin(x: Any, branch: Any, depth_param: dict[str, Any]) -> Any:
        training = depth_param["mode"] == "train"
        return x + branch * (_drawn((), depth_param) if training else depth_param["p"])

    def probabilities() -> float:
        """A straight line from 1 to ½, unless another end is named."""
        by_default = [layer.survival_probability(block, 4) for block in range(5)]
        named = [layer.survival_probability(block, 2, 0.8) for block in range(3)]
        return float(np.max(np.abs(np.subtract(by_default + named, [1, 0.875, 0.75, 0.625, 0.5, 1, 0.9, 0.8]))))

    return [
        Layer(
            "stochastic depth",
            layer.stochastic_depth_forward,
            layer.stochastic_depth_backward,
            inputs={
                "training, kept": draw(3, 4, param={**TRAIN, "seed": 7}),
                "training, left out": draw(2, 3, 2, param={**TRAIN, "seed": 3, "p": 0.5}),
                "training, one sample, always kept": draw(1, 5, param={**TRAIN, "p": 1.0}),
                "test": draw(3, 2, param=TEST),
            },
            gradients=("x", "branch"),
            linear=("x", "branch"),
            twin=twin,
        ),
        Check("survival probability", probabilities),
    ]


SUBJECTS: dict[str, Subject] = {
    "random-mask": Subject(random_mask, random_mask_cases),
    "dropout": Subject(dropout, dropout_cases),
    "channel-dropout": Subject(channel_dropout, channel_dropout_cases),
    "dropconnect": Subject(dropconnect, dropconnect_cases),
    "stochastic-depth": Subject(stochastic_depth, stochastic_depth_cases),
}

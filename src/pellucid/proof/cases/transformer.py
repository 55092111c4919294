"""Proofs of the blocks of the Transformer, beside PyTorch's with the same weights."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.proof.cases.attention import ATTENTION, FF, HEADS, SHAPES, D, draw_params, torch_attention
from pellucid.scratch.attention import decoder, encoder, residual


def residual_cases(layer: Any) -> Sequence[Case]:
    """Around x ↦ x², before and after a norm."""

    def square(x: Any) -> Any:
        return x * x, x

    def forward(x: Any, gamma: Any, beta: Any, pre_norm: Any) -> Any:
        arguments = () if pre_norm is None else (pre_norm,)
        return layer.residual_forward(x, square, gamma, beta, *arguments)

    def backward(dout: Any, cache: Any) -> Any:
        dx, _, dgamma, dbeta = layer.residual_backward(dout, lambda d, x: (2 * d * x, None), cache)
        return dx, dgamma, dbeta

    def twin(x: Any, gamma: Any, beta: Any, pre_norm: Any) -> Any:
        if pre_norm:
            return x + F.layer_norm(x, gamma.shape, gamma, beta) ** 2
        return F.layer_norm(x + x**2, gamma.shape, gamma, beta)

    def draw(pre_norm: bool | None) -> Inputs:
        def arguments(rng: np.random.Generator) -> tuple[Any, ...]:
            return rng.standard_normal((2, 3, D)), *draw_params(rng, ("gamma", "beta")), pre_norm

        return arguments

    return [
        Layer(
            "add_and_norm",
            forward,
            backward,
            inputs={"post-norm": draw(None), "pre-norm": draw(True)},
            gradients=("x", "gamma", "beta"),
            twin=twin,
        )
    ]


SELF = tuple(f"self.{name}" for name in ATTENTION)
CROSS = tuple(f"cross.{name}" for name in ATTENTION)
FEED = ("ff.w1", "ff.b1", "ff.w2", "ff.b2")


def _norms(count: int) -> tuple[str, ...]:
    return tuple(f"norm{k + 1}.{name}" for k in range(count) for name in ("gamma", "beta"))


def _torch_block(params: Mapping[str, Any], norms: int) -> dict[str, Any]:
    """Names of nn.TransformerEncoderLayer and nn.TransformerDecoderLayer for ours."""
    weights = torch_attention(params, "self.", "self_attn.")
    for k in "12":
        weights |= {f"linear{k}.weight": params[f"ff.w{k}"].T, f"linear{k}.bias": params[f"ff.b{k}"]}
    for number in range(1, norms + 1):
        norm = f"norm{number}"
        weights |= {f"{norm}.weight": params[f"{norm}.gamma"], f"{norm}.bias": params[f"{norm}.beta"]}
    return weights


def _counts(make: Any, names: Sequence[str], expected: int) -> float:
    """The names and how many numbers; weights of Xavier's variance; scales 1 and all else 0."""
    params = make(64, 128, np.random.default_rng(0), np.float32)
    if set(params) != set(names) or sum(a.size for a in params.values()) != expected:
        return float("inf")
    if any(a.dtype != np.float32 for a in params.values()) or params["ff.w1"].shape != (64, 128):
        return float("inf")
    plain = [a for a in params.values() if a.ndim == 1]
    spread = [abs(float(a.std()) * (sum(a.shape) / 2) ** 0.5 - 1) for a in params.values() if a.ndim == 2]
    ones = sum(bool((a == 1).all()) for a in plain)
    zeros = sum(not a.any() for a in plain)
    gammas = sum(name.endswith("gamma") and bool((params[name] == 1).all()) for name in names)
    right = ones == gammas and ones + zeros == len(plain) and gammas == sum(n.endswith("gamma") for n in names)
    return max(spread) if right else float("inf")


def encoder_cases(layer: Any) -> Sequence[Case]:
    """Both orders of the norm, with and without a mask, beside nn.TransformerEncoderLayer."""
    names = (*SELF, *FEED, *_norms(2))

    def case(pre_norm: bool | None, masked: bool) -> Layer:
        mask = np.ones((2, 1, 3), bool)
        mask[1, 0, 2] = False
        arguments = {} if pre_norm is None else {"pre_norm": pre_norm}

        def forward(x: Any, params: Any) -> Any:
            return layer.encoder_block_forward(x, _unpack(params, names), HEADS, mask if masked else None, **arguments)

        def backward(dout: Any, cache: Any) -> Any:
            dx, grads = layer.encoder_block_backward(dout, cache)
            return dx, _pack(grads, names)

        def twin(x: Any, params: Any) -> Any:
            module = nn.TransformerEncoderLayer(
                D, HEADS, FF, 0.0, batch_first=True, norm_first=bool(pre_norm), dtype=x.dtype
            )
            padding = torch.from_numpy(~mask[:, 0]) if masked else None
            weights = _torch_block(_unpack(params, names), 2)
            return functional_call(module, weights, (x,), {"src_key_padding_mask": padding})

        def draw(rng: np.random.Generator) -> tuple[Any, ...]:
            return rng.standard_normal((2, 3, D)), _pack(dict(zip(names, draw_params(rng, names), strict=True)), names)

        label = "pre_norm" if pre_norm else "post_norm"
        name = f"encoder_{label}" + ("_masked" if masked else "")
        return Layer(name, forward, backward, {"two sentences": draw}, ("x", "params"), twin=twin)

    return [
        case(None, False),
        case(False, True),
        case(True, True),
        Check("encoder_made", partial(_counts, layer.make_encoder_block, names, 33_472), 0.05),
    ]


def decoder_cases(layer: Any) -> Sequence[Case]:
    """Both orders of the norm, with and without a mask of the memory, beside nn.TransformerDecoderLayer."""
    names = (*SELF, *CROSS, *FEED, *_norms(3))

    def case(pre_norm: bool | None, masked: bool) -> Layer:
        mask = np.ones((2, 1, 2), bool)
        mask[1, 0, 1] = False
        arguments = {} if pre_norm is None else {"pre_norm": pre_norm}

        def forward(x: Any, memory: Any, params: Any) -> Any:
            memory_mask = mask if masked else None
            return layer.decoder_block_forward(x, memory, _unpack(params, names), HEADS, memory_mask, **arguments)

        def backward(dout: Any, cache: Any) -> Any:
            dx, dmemory, grads = layer.decoder_block_backward(dout, cache)
            return dx, dmemory, _pack(grads, names)

        def twin(x: Any, memory: Any, params: Any) -> Any:
            module = nn.TransformerDecoderLayer(
                D, HEADS, FF, 0.0, batch_first=True, norm_first=bool(pre_norm), dtype=x.dtype
            )
            given = _unpack(params, names)
            weights = _torch_block(given, 3) | torch_attention(given, "cross.", "multihead_attn.")
            call = {
                "tgt_mask": ~torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril(),
                "memory_key_padding_mask": torch.from_numpy(~mask[:, 0]) if masked else None,
            }
            return functional_call(module, weights, (x, memory), call)

        def draw(rng: np.random.Generator) -> tuple[Any, ...]:
            params = _pack(dict(zip(names, draw_params(rng, names), strict=True)), names)
            return rng.standard_normal((2, 3, D)), rng.standard_normal((2, 2, D)), params

        label = "pre_norm" if pre_norm else "post_norm"
        name = f"decoder_{label}" + ("_masked" if masked else "")
        return Layer(name, forward, backward, {"two sentences": draw}, ("x", "memory", "params"), twin=twin)

    return [
        case(None, False),
        case(False, True),
        case(True, True),
        Check("decoder_made", partial(_counts, layer.make_decoder_block, names, 50_240), 0.05),
    ]


def _pack(params: Mapping[str, Any], names: Sequence[str]) -> Any:
    """All parameters in one row of numbers, so that one argument stands for them."""
    return np.concatenate([params[name].ravel() for name in names])


def _unpack(row: Any, names: Sequence[str]) -> dict[str, Any]:
    """The parameters by name, of NumPy or of PyTorch."""
    params: dict[str, Any] = {}
    start = 0
    for name in names:
        shape = SHAPES.get(name.split(".")[-1], (D,))
        size = int(np.prod(shape))
        params[name] = row[start : start + size].reshape(shape)
        start += size
    return params


SUBJECTS: dict[str, Subject] = {
    "add-and-norm": Subject(residual, residual_cases),
    "encoder": Subject(encoder, encoder_cases),
    "decoder": Subject(decoder, decoder_cases),
}

"""Proofs of the recurrent layers: steps and sequences."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from pellucid.core.errors import DataError
from pellucid.proof.case import Case, Check, Inputs, Layer, Subject
from pellucid.scratch.recurrent import gru, lstm, rnn, unrolled

ORDER = {"rnn": (0,), "lstm": (0, 1, 3, 2), "gru": (0, 1, 2)}  # our blocks in the order of PyTorch's
MODULES: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def draw_recurrent(
    D: int, H: int, gates: int, biases: int, *shape: int, states: int = 1, own_bias: bool = False
) -> Inputs:
    """Draw x of a shape that ends in D, states, weights and a bias, all of it far from zero."""

    def draw(rng: np.random.Generator) -> tuple[Any, ...]:
        N = shape[0]
        return (
            rng.standard_normal((*shape, D)),
            *(rng.standard_normal((N, H)) for _ in range(states)),
            rng.standard_normal((D, gates * H)),
            rng.standard_normal((H, gates * H)),
            rng.standard_normal((N, biases * H) if own_bias else biases * H),
        )

    return draw


def _steps(D: int, H: int, gates: int, biases: int, states: int = 1) -> dict[str, Inputs]:
    return {
        "three samples": draw_recurrent(D, H, gates, biases, 3, states=states),
        "a bias a sample": draw_recurrent(D, H, gates, biases, 2, states=states, own_bias=True),
        "one sample": draw_recurrent(D, H, gates, biases, 1, states=states),
    }


def _sequences(D: int, H: int, gates: int, biases: int, states: int = 1) -> dict[str, Inputs]:
    return {
        "three samples": draw_recurrent(D, H, gates, biases, 3, 4, states=states),
        "a bias a sample": draw_recurrent(D, H, gates, biases, 2, 3, states=states, own_bias=True),
        "one sample, one step": draw_recurrent(D, H, gates, biases, 1, 1, states=states),
    }


def recurrent_twin(
    kind: str, x: Any, state: tuple[Any, ...], layers: Sequence[tuple[Any, Any, Any]]
) -> tuple[Any, Any]:
    """PyTorch's module with our weights: the states of the last layer, and what is left after the last step."""
    N, _, D = x.shape
    H = layers[0][1].shape[0]
    if layers[0][2].ndim == 2:  # a bias a sample is a weight for an input that is 1 for this sample alone
        Wx, Wh, b = layers[0]
        extra = torch.eye(N, dtype=x.dtype)[:, None].expand(N, x.shape[1], N)
        columns = Wx.shape[1]
        m = torch.zeros_like(b[0])
        if kind == "gru":  # PyTorch has the bias inside the reset once for all samples: one run for each
            runs = [
                recurrent_twin(kind, x[n : n + 1], tuple(s[n : n + 1] for s in state), [(Wx, Wh, b[n])])
                for n in range(N)
            ]
            return torch.cat([h for h, _ in runs]), tuple(torch.cat([last[0] for _, last in runs]) for _ in "h")
        x, layers = torch.cat([x, extra], dim=2), [(torch.cat([Wx, b[:, :columns]]), Wh, m)]
        D = D + N
    module = MODULES[kind](D, H, num_layers=len(layers), batch_first=True, dtype=x.dtype)
    weights: dict[str, Any] = {}
    for number, (Wx, Wh, b) in enumerate(layers):
        turned = [torch.cat([W.T.split(H)[block] for block in ORDER[kind]]) for W in (Wx, Wh)]
        weights[f"weight_ih_l{number}"], weights[f"weight_hh_l{number}"] = turned
        parts = b.split(H)
        weights[f"bias_ih_l{number}"] = torch.cat([parts[block] for block in ORDER[kind]])
        zeros = [torch.zeros_like(parts[0])] * len(ORDER[kind])
        weights[f"bias_hh_l{number}"] = torch.cat([*zeros[:2], parts[3]] if kind == "gru" else zeros)
    first = tuple(s.reshape(len(layers), N, H) for s in state)
    h, last = functional_call(module, weights, (x, first if kind == "lstm" else first[0]))
    last = last if kind == "lstm" else (last,)
    return h, tuple(s[0] if len(layers) == 1 else s for s in last)


def _as_sequence(x: Any, states: Any, Wx: Any, Wh: Any, b: Any, step: Any) -> tuple[list[Any], list[Any]]:
    """Outputs and caches of a step taken again and again; what a step returns first is its state."""
    outputs, caches = [], []
    for t in range(x.shape[1]):
        *states, cache = step(x[:, t], *states, Wx, Wh, b)
        outputs.append(states)
        caches.append(cache)
    return outputs, caches


def _back_through(dh: Any, dstates: Any, caches: list[Any], step_backward: Any) -> tuple[Any, ...]:
    """The gradients of `_as_sequence`: dx, those of the first states, and those of the weights, summed over steps."""
    dx, weights = [], None
    for t in reversed(range(len(caches))):
        dstates = (dstates[0] + dh[:, t], *dstates[1:])
        dx_t, *found = step_backward(*dstates, caches[t])
        dstates, of_step = tuple(found[:-3]), found[-3:]
        weights = of_step if weights is None else [a + b for a, b in zip(weights, of_step, strict=True)]
        dx.append(dx_t)
    return (np.stack(dx[::-1], axis=1), *dstates, *(weights or ()))


def _loops(step: Any, step_backward: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A layer whose state is h alone, step after step."""

    def forward(x: Any, h0: Any, Wx: Any, Wh: Any, b: Any) -> Any:
        outputs, caches = _as_sequence(x, (h0,), Wx, Wh, b, step)
        return np.stack([h for (h,) in outputs], axis=1), caches

    def backward(dh: Any, caches: Any) -> Any:
        return _back_through(dh, (np.zeros_like(dh[:, 0]),), caches, step_backward)

    return forward, backward


def _no_steps(forward: Any, backward: Any, gates: int, biases: int) -> float:
    """A sequence of no steps says nothing, and nothing is learnt from it."""
    arguments = draw_recurrent(3, 2, gates, biases, 4, 0)(np.random.default_rng(0))
    h, cache = forward(*arguments)
    gradients = backward(h.copy(), cache)
    fits = h.shape == (4, 0, 2) and all(g.shape == a.shape for g, a in zip(gradients, arguments, strict=True))
    return 0.0 if fits and not any(g.any() for g in gradients) else 1.0


def refused(function: Callable[..., Any], *arguments: Any) -> str:
    """What the error says; "" when there is none."""
    try:
        function(*arguments)
    except DataError as error:
        return str(error)
    return ""


def rnn_cases(layer: Any) -> Sequence[Case]:
    """One step and a sequence, beside PyTorch's and step after step."""

    def step_twin(x: Any, h: Any, Wx: Any, Wh: Any, b: Any) -> Any:
        return recurrent_twin("rnn", x[:, None], (h,), [(Wx, Wh, b)])[0][:, 0]

    names = ("Wx", "Wh", "b")
    return [
        Layer(
            "rnn_step",
            layer.rnn_step_forward,
            layer.rnn_step_backward,
            inputs=_steps(3, 4, 1, 1),
            gradients=("x", "prev_h", *names),
            beyond=("a bias a sample",),
            twin=step_twin,
        ),
        Layer(
            "rnn",
            layer.rnn_forward,
            layer.rnn_backward,
            inputs=_sequences(3, 2, 1, 1),
            gradients=("x", "h0", *names),
            beyond=("a bias a sample",),
            twin=lambda x, h0, Wx, Wh, b: recurrent_twin("rnn", x, (h0,), [(Wx, Wh, b)])[0],
            loops=_loops(layer.rnn_step_forward, layer.rnn_step_backward),
        ),
        Check("rnn_of_no_steps", lambda: _no_steps(layer.rnn_forward, layer.rnn_backward, 1, 1)),
    ]


def lstm_cases(layer: Any) -> Sequence[Case]:
    """One step, a sequence, and one that goes on from given cells, beside PyTorch's and step after step."""

    def step_twin(x: Any, h: Any, c: Any, Wx: Any, Wh: Any, b: Any) -> Any:
        return recurrent_twin("lstm", x[:, None], (h, c), [(Wx, Wh, b)])[1]

    def sequence_twin(x: Any, h0: Any, c0: Any, Wx: Any, Wh: Any, b: Any) -> Any:
        h, (_, c) = recurrent_twin("lstm", x, (h0, c0), [(Wx, Wh, b)])
        return h, c

    def loops_forward(x: Any, h0: Any, c0: Any, Wx: Any, Wh: Any, b: Any) -> Any:
        outputs, caches = _as_sequence(x, (h0, c0), Wx, Wh, b, layer.lstm_step_forward)
        return np.stack([h for h, _ in outputs], axis=1), outputs[-1][1], caches

    def loops_backward(dh: Any, dc: Any, caches: Any) -> Any:
        return _back_through(dh, (np.zeros_like(dc), dc), caches, layer.lstm_step_backward)

    names = ("Wx", "Wh", "b")
    return [
        Layer(
            "lstm_step",
            layer.lstm_step_forward,
            layer.lstm_step_backward,
            inputs=_steps(3, 2, 4, 4, states=2),
            gradients=("x", "prev_h", "prev_c", *names),
            beyond=("a bias a sample",),
            twin=step_twin,
        ),
        Layer(
            "lstm",
            layer.lstm_forward,
            layer.lstm_backward,
            inputs=_sequences(2, 2, 4, 4),
            gradients=("x", "h0", *names),
            beyond=("a bias a sample",),
            twin=lambda x, h0, Wx, Wh, b: recurrent_twin("lstm", x, (h0, torch.zeros_like(h0)), [(Wx, Wh, b)])[0],
        ),
        Layer(
            "lstm_sequence",
            layer.lstm_sequence_forward,
            layer.lstm_sequence_backward,
            inputs=_sequences(2, 2, 4, 4, states=2),
            gradients=("x", "h0", "c0", *names),
            beyond=("a bias a sample",),
            twin=sequence_twin,
            loops=(loops_forward, loops_backward),
        ),
        Check("lstm_of_no_steps", lambda: _no_steps(layer.lstm_forward, layer.lstm_backward, 4, 4)),
    ]


def gru_cases(layer: Any) -> Sequence[Case]:
    """One step and a sequence, beside PyTorch's and step after step."""

    def step_twin(x: Any, h: Any, Wx: Any, Wh: Any, b: Any) -> Any:
        return recurrent_twin("gru", x[:, None], (h,), [(Wx, Wh, b)])[0][:, 0]

    names = ("Wx", "Wh", "b")
    return [
        Layer(
            "gru_step",
            layer.gru_step_forward,
            layer.gru_step_backward,
            inputs=_steps(3, 2, 3, 4),
            gradients=("x", "prev_h", *names),
            beyond=("a bias a sample",),
            twin=step_twin,
        ),
        Layer(
            "gru",
            layer.gru_forward,
            layer.gru_backward,
            inputs=_sequences(2, 3, 3, 4),
            gradients=("x", "h0", *names),
            beyond=("a bias a sample",),
            twin=lambda x, h0, Wx, Wh, b: recurrent_twin("gru", x, (h0,), [(Wx, Wh, b)])[0],
            loops=_loops(layer.gru_step_forward, layer.gru_step_backward),
        ),
        Check("gru_of_no_steps", lambda: _no_steps(layer.gru_forward, layer.gru_backward, 3, 4)),
    ]


def _shapes_that_fit(layer: Any) -> float:
    """What fits passes, for a sequence and for a step; one row too many in any array does not."""
    wrong = 0
    for name, shape in (("rnn", (3, 6)), ("rnn_step", (3,))):
        x, h, Wx, Wh, b = draw_recurrent(4, 2, 3, 5, *shape)(np.random.default_rng(0))
        wrong += refused(layer.check_shapes, name, x, {"h": h}, (Wx, Wh, b), (3, 5)) != ""
        for bad in ((Wx[1:], Wh, b), (Wx, Wh[:, 1:], b), (Wx, Wh, b[1:])):
            wrong += refused(layer.check_shapes, name, x, {"h": h}, bad, (3, 5)) == ""
        wrong += refused(layer.check_shapes, name, x, {"h": h[1:]}, (Wx, Wh, b), (3, 5)) == ""
        wrong += refused(layer.check_shapes, name, x[0], {"h": h}, (Wx, Wh, b), (3, 5)) == ""
    return float(wrong)


def _time_first_is_new(layer: Any) -> float:
    x = np.zeros((2, 3, 1))
    turned = layer.time_first(x)
    turned += 1
    return float(x.max()) + (not turned.flags.c_contiguous)


def unrolled_cases(layer: Any) -> Sequence[Case]:
    """The products outside the loop, beside einsum; the gate beside PyTorch's."""

    def draw(rng: np.random.Generator, own: bool = False) -> tuple[Any, ...]:
        x, Wx = rng.standard_normal((3, 2, 4)), rng.standard_normal((4, 5))
        return x, Wx, rng.standard_normal((2, 5) if own else 5)

    def forward(x: Any, Wx: Any, b: Any) -> Any:
        return layer.all_inputs_forward(x, Wx, b), (x, Wx, b)

    def turn(x: Any) -> Any:
        return layer.time_first(x), None

    def states(before: Any, Wh: Any) -> Any:
        return before @ Wh, before

    def gate(a: Any) -> Any:
        return layer.sigmoid(a), layer.sigmoid(a)

    return [
        Layer(
            "all_inputs",
            forward,
            lambda da, cache: layer.all_inputs_backward(da, *cache),
            inputs={"a bias": draw, "a bias a sample": partial(draw, own=True)},
            gradients=("x", "Wx", "b"),
            linear=("x", "Wx", "b"),
            twin=lambda x, Wx, b: torch.einsum("tnd,dg->tng", x, Wx) + b,
        ),
        Layer(
            "state_weights",
            states,
            lambda da, before: layer.state_weights_gradient(before, da),
            inputs={"states": lambda rng: (rng.standard_normal((3, 2, 4)), rng.standard_normal((4, 5)))},
            gradients=("Wh",),
            linear=("Wh",),
        ),
        Layer(
            "time_first",
            turn,
            lambda dout, _: layer.time_first(dout),
            inputs={"3 x 2": lambda rng: (rng.standard_normal((3, 2, 4)),)},
            gradients=("x",),
            linear=("x",),
            twin=lambda x: x.transpose(0, 1),
        ),
        Check("time_first_is_new", partial(_time_first_is_new, layer)),
        Check("shapes_that_fit", partial(_shapes_that_fit, layer)),
        Layer(
            "gate",
            gate,
            lambda dout, s: dout * s * (1 - s),
            inputs={"near and far": lambda rng: (np.append(rng.standard_normal(5), [800.0, -800.0]),)},
            gradients=("a",),
            twin=torch.sigmoid,
        ),
    ]


SUBJECTS: dict[str, Subject] = {
    "unrolled": Subject(unrolled, unrolled_cases),
    "rnn": Subject(rnn, rnn_cases),
    "lstm": Subject(lstm, lstm_cases),
    "gru": Subject(gru, gru_cases),
}

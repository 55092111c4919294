"""Proofs of what stands on the recurrent cells: one signature for all, stacks, windows, and fading gradients."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from pellucid.proof.case import Case, Check, Layer, Subject
from pellucid.proof.cases.recurrent import draw_recurrent, recurrent_twin, refused
from pellucid.scratch.checks import gradient_flow
from pellucid.scratch.recurrent import cells, lstm, multilayer, rnn, truncated

CELL_NAMES = ("rnn", "lstm", "gru")
T = 5  # steps of the sequences that are cut into windows


def _made(layer: Any, kind: str) -> float:
    """Shapes fit, the spread is 1/√rows, and the empty state is zeros."""
    cell, D, H = layer.CELLS[kind], 400, 100
    Wx, Wh, b = cell.make_parameters(D, H, np.random.default_rng(0), np.float32)
    state = cell.empty_state(3, H, np.float32)
    shapes = (Wx.shape, Wh.shape, b.shape) == ((D, cell.gates * H), (H, cell.gates * H), (cell.biases * H,))
    types = {array.dtype for array in (Wx, Wh, b, *state)} == {np.dtype(np.float32)}
    fits = [s.shape for s in state] == [(3, H)] * cell.states and not any(s.any() for s in state) and not b.any()
    spread = max(abs(Wx.std() * D**0.5 - 1), abs(Wh.std() * H**0.5 - 1))
    return spread if shapes and types and fits else float("inf")


def _state_of_a_cell(layer: Any) -> float:
    """As many arrays as the cell has; else the error says which."""
    one, wrong = np.zeros((2, 3)), 0
    for cell, words in ((layer.CELLS["rnn"], "one array, (h,)"), (layer.CELLS["lstm"], "two arrays, (h, c)")):
        for count in (0, 1, 2, 3):
            said = refused(layer.check_state, (one,) * count, cell, "here")
            wrong += said != (
                "" if count == cell.states else f"here: the state must be a tuple of {words}, got {count}."
            )
    return float(wrong)


def cells_cases(layer: Any) -> Sequence[Case]:
    """Each cell by its one signature, its last state an output like the others."""

    def case(kind: str) -> Layer:
        cell = layer.CELLS[kind]
        if cell.states == 1:

            def forward(x: Any, h0: Any, Wx: Any, Wh: Any, b: Any) -> Any:
                h, last, cache = cell.forward(x, (h0,), Wx, Wh, b)
                return h, *last, cache

            def twin(x: Any, h0: Any, Wx: Any, Wh: Any, b: Any) -> Any:
                h, last = recurrent_twin(kind, x, (h0,), [(Wx, Wh, b)])
                return h, *last
        else:

            def forward(x: Any, h0: Any, c0: Any, Wx: Any, Wh: Any, b: Any) -> Any:  # type: ignore[misc]
                h, last, cache = cell.forward(x, (h0, c0), Wx, Wh, b)
                return h, *last, cache

            def twin(x: Any, h0: Any, c0: Any, Wx: Any, Wh: Any, b: Any) -> Any:  # type: ignore[misc]
                h, last = recurrent_twin(kind, x, (h0, c0), [(Wx, Wh, b)])
                return h, *last

        def backward(dh: Any, *rest: Any) -> Any:
            *dlast, cache = rest
            dx, dstate, *weights = cell.backward(dh, tuple(dlast), cache)
            return dx, *dstate, *weights

        return Layer(
            f"{kind}_cell",
            forward,
            backward,
            inputs={
                "two samples": draw_recurrent(3, 2, cell.gates, cell.biases, 2, 3, states=cell.states),
                "one step": draw_recurrent(2, 3, cell.gates, cell.biases, 2, 1, states=cell.states),
            },
            gradients=("x", "h0", "c0", "Wx", "Wh", "b") if cell.states == 2 else ("x", "h0", "Wx", "Wh", "b"),
            twin=twin,
        )

    return [
        *(case(kind) for kind in CELL_NAMES),
        Check("state_of_a_cell", partial(_state_of_a_cell, layer)),
        *(Check(f"{k}_made", partial(_made, layer, k), 0.05) for k in CELL_NAMES),
    ]


def multilayer_cases(layer: Any) -> Sequence[Case]:
    """Two layers of each cell, beside PyTorch's with num_layers=2; with and without a gradient of the last states."""
    D, H = 3, 2

    def case(kind: str, with_last: bool) -> Layer:
        cell = cells.CELLS[kind]

        def split(states: Any) -> list[Any]:
            return [tuple(states[layer_number]) for layer_number in range(2)]

        def forward(x: Any, states: Any, Wx: Any, Wh: Any, b: Any, Wx2: Any, Wh2: Any, b2: Any) -> Any:
            h, last, cache = layer.multilayer_forward(x, split(states), [(Wx, Wh, b), (Wx2, Wh2, b2)], kind)
            return (h, np.array(last), cache) if with_last else (h, cache)

        def backward(dh: Any, *rest: Any) -> Any:
            *dlast, cache = rest
            dx, dstates, found = layer.multilayer_backward(dh, split(dlast[0]) if dlast else None, cache)
            return dx, np.array(dstates), *found[0], *found[1]

        def twin(x: Any, states: Any, Wx: Any, Wh: Any, b: Any, Wx2: Any, Wh2: Any, b2: Any) -> Any:
            first = tuple(states[:, number] for number in range(cell.states))
            h, last = recurrent_twin(kind, x, first, [(Wx, Wh, b), (Wx2, Wh2, b2)])
            return (h, torch.stack(last, dim=1)) if with_last else h

        def draw(rng: np.random.Generator) -> tuple[Any, ...]:
            normal, columns = rng.standard_normal, cell.gates * H
            first = (normal((D, columns)), normal((H, columns)), normal(cell.biases * H))
            second = (normal((H, columns)), normal((H, columns)), normal(cell.biases * H))
            return normal((4, 3, D)), normal((2, cell.states, 4, H)), *first, *second

        return Layer(
            f"multilayer_{kind}" + ("_with_last" if with_last else ""),
            forward,
            backward,
            inputs={"two layers": draw},
            gradients=("x", "states", "Wx", "Wh", "b", "Wx2", "Wh2", "b2"),
            twin=twin,
        )

    def default() -> float:
        rng = np.random.default_rng(0)
        x, state = rng.standard_normal((2, 3, 4)), cells.CELLS["rnn"].empty_state(2, 5)
        parameters = cells.CELLS["rnn"].make_parameters(4, 5, rng)
        h, _, _ = layer.multilayer_forward(x, [state], [parameters])
        return float(np.abs(h - rnn.rnn_forward(x, state[0], *parameters)[0]).max())

    pairs = [(kind, with_last) for kind in CELL_NAMES for with_last in (False, True)]
    return [*(case(*pair) for pair in pairs), Check("multilayer_is_rnn_by_default", default)]


def _cut(layer: Any, kind: str, window: int) -> float:
    """Every window by PyTorch, its first state a constant."""
    cell = cells.CELLS[kind]
    rng = np.random.default_rng(window)
    x, *states, Wx, Wh, b = draw_recurrent(2, 3, cell.gates, cell.biases, 2, T, states=cell.states)(rng)
    dh = rng.standard_normal((2, T, 3))
    h, last, cache = layer.truncated_forward(x, tuple(states), Wx, Wh, b, window, kind)
    dx, dstate, *weights = layer.truncated_backward(dh, cache)
    wanted = [torch.from_numpy(array).requires_grad_() for array in (x, *states, Wx, Wh, b)]
    state, pieces = tuple(wanted[1:-3]), []
    for start in range(0, T, window):
        piece, state = recurrent_twin(kind, wanted[0][:, start : start + window], state, [tuple(wanted[-3:])])  # type: ignore[list-item]
        state = tuple(s.detach() for s in state)
        pieces.append(piece)
    theirs = torch.cat(pieces, dim=1)
    expected = torch.autograd.grad((theirs * torch.from_numpy(dh)).sum(), wanted)
    pairs = [(h, theirs), *zip(last, state, strict=True), *zip((dx, *dstate, *weights), expected, strict=True)]
    return max(float(np.abs(ours - other.detach().numpy()).max()) for ours, other in pairs)


def truncated_cases(layer: Any) -> Sequence[Case]:
    """A window as long as the sequence is full backpropagation; shorter ones beside PyTorch, the state detached."""

    def whole(kind: str, window: int) -> Layer:
        """States as one array (states, N, H), so that one signature serves all cells."""
        cell = cells.CELLS[kind]

        def forward(x: Any, state: Any, Wx: Any, Wh: Any, b: Any) -> Any:
            h, _, cache = layer.truncated_forward(x, tuple(state), Wx, Wh, b, window, kind)
            return h, cache

        def backward(dh: Any, cache: Any) -> Any:
            dx, dstate, *weights = layer.truncated_backward(dh, cache)
            return dx, np.array(dstate), *weights

        def full(x: Any, state: Any, Wx: Any, Wh: Any, b: Any) -> Any:
            h, _, cache = cell.forward(x, tuple(state), Wx, Wh, b)
            return h, cache

        def full_backward(dh: Any, cache: Any) -> Any:
            dx, dstate, *weights = cell.backward(dh, cell.empty_state(*dh[:, 0].shape), cache)
            return dx, np.array(dstate), *weights

        def draw(rng: np.random.Generator) -> tuple[Any, ...]:
            x, *states, Wx, Wh, b = draw_recurrent(2, 2, cell.gates, cell.biases, 2, T, states=cell.states)(rng)
            return x, np.array(states), Wx, Wh, b

        return Layer(
            f"truncated_{kind}_window_{window}",
            forward,
            backward,
            inputs={"one window": draw},
            gradients=("x", "state", "Wx", "Wh", "b"),
            loops=(full, full_backward),
        )

    def default() -> float:
        rng = np.random.default_rng(0)
        x, h0, Wx, Wh, b = draw_recurrent(2, 3, 1, 1, 2, T)(rng)
        h, _, _ = layer.truncated_forward(x, (h0,), Wx, Wh, b, 2)
        return float(np.abs(h - rnn.rnn_forward(x, h0, Wx, Wh, b)[0]).max())

    return [
        *(whole(kind, T) for kind in CELL_NAMES),
        whole("rnn", T + 2),
        *(Check(f"truncated_{kind}_cut_{w}", partial(_cut, layer, kind, w)) for kind in CELL_NAMES for w in (1, 2, 3)),
        Check("truncated_is_rnn_by_default", default),
    ]


def gradient_flow_cases(layer: Any) -> Sequence[Case]:
    """Worked numbers, a matrix that is not symmetric, and the Jacobian of a real recurrent layer."""

    def scalar() -> float:
        pairs = [(f, layer.gradient_through_time(np.array([[f]]), 50)) for f in (0.9, 1.1)]
        return max(float(np.abs(got / f ** np.arange(51.0) - 1).max()) for f, got in pairs)

    def powers() -> float:
        W = np.random.default_rng(0).standard_normal((3, 3))
        expected = [np.linalg.norm(np.linalg.matrix_power(W, k), 2) for k in range(5)]
        return float(np.abs(layer.gradient_through_time(W, 4) - expected).max())

    def real() -> float:
        """∂h_T/∂h_0 row by row, by backpropagation."""
        x, h0, Wx, Wh, b = draw_recurrent(2, 3, 1, 1, 1, 4)(np.random.default_rng(1))
        h, cache = rnn.rnn_forward(x, h0, Wx, Wh, b)
        rows = []
        for unit in range(3):
            dh = np.zeros_like(h)
            dh[:, -1, unit] = 1
            rows.append(rnn.rnn_backward(dh, cache)[1][0])
        stretch = layer.gradient_through_time(Wh, 4, 1 - h[0] ** 2)
        return abs(float(stretch[4] - np.linalg.norm(np.array(rows), 2))) + abs(float(stretch[0] - 1))

    def cell() -> float:
        """With no way through the gates (Wh = 0), backpropagation finds the product of the forget gates."""
        x, h0, c0, Wx, Wh, b = draw_recurrent(2, 3, 4, 4, 2, 5, states=2)(np.random.default_rng(2))
        _, _, cache = lstm.lstm_sequence_forward(x, h0, c0, Wx, 0 * Wh, b)
        dc0 = lstm.lstm_sequence_backward(np.zeros((2, 5, 3)), np.ones((2, 3)), cache)[2]
        along = layer.gradient_along_the_cell(cache.gates[:, :, 3:6])
        return float(np.abs(along[-1] - dc0).max() + np.abs(along[0] - cache.gates[0, :, 3:6]).max())

    return [
        Check("scalar_recurrence", scalar),
        Check("powers_of_a_matrix", powers),
        Check("recurrent_layer", real),
        Check("along_the_cell", cell),
    ]


SUBJECTS: dict[str, Subject] = {
    "cells": Subject(cells, cells_cases),
    "multilayer": Subject(multilayer, multilayer_cases),
    "truncated": Subject(truncated, truncated_cases),
    "gradient-flow": Subject(gradient_flow, gradient_flow_cases),
}

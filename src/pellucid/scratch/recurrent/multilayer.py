"""Several recurrent layers: the states of one are the inputs of the next.

Formula:
    h_t^l = cell(h_t^{l-1}, h_{t-1}^l),  h_t^0 = x_t

Derivation:
    A unit sees two neighbours: the same step one layer below, and the same layer one step before (not the same step of
    its own layer, which is what it is about to compute). No layer needs a later step of the one above, so layer after
    layer, each over the whole sequence, gives the same as step after step, and keeps the large products.
    Backward, dx of layer l is dh of layer l-1; each layer has weights, a first state and gradients of its own.

Source: CS231n, lecture "Recurrent neural networks", multilayer RNNs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import DataError
from pellucid.scratch.recurrent.cells import CELLS, Cell, Parameters, State, check_state

Cache = tuple[Cell, list[Any]]


def multilayer_forward(
    x: np.ndarray, states: Sequence[State], layers: Sequence[Parameters], cell_type: str = "rnn"
) -> tuple[np.ndarray, list[State], Cache]:
    """A sequence through a stack.

    Args:
        x: (N, T, D) inputs.
        states: for each layer its first state, (h,) or (h, c), arrays (N, H).
        layers: for each layer Wx, Wh, b; Wx has D rows in the first and H rows in the others.
        cell_type: "rnn", "lstm" or "gru".

    Returns:
        h (N, T, H) of the last layer, the states after the last step, and what backward needs.

    Raises:
        ConfigError: no such cell.
        DataError: the shapes do not fit each other.
    """
    cell = choose(cell_type, CELLS, "recurrent cell")
    if len(states) != len(layers):
        raise DataError(f"multilayer: {len(layers)} layers need a state each, got {len(states)} states.")
    last, caches = [], []
    for state, parameters in zip(states, layers, strict=True):
        check_state(state, cell, "multilayer")
        x, after, cache = cell.forward(x, state, *parameters)
        last.append(after)
        caches.append(cache)
    return x, last, (cell, caches)


def multilayer_backward(
    dh: np.ndarray, dlast: Sequence[State] | None, cache: Cache
) -> tuple[np.ndarray, list[State], list[Parameters]]:
    """Gradients of x, of each layer's first state, and of each layer's Wx, Wh, b.

    Args:
        dh: (N, T, H) what the loss says of the last layer's states.
        dlast: what it says of the states after the last step, as `multilayer_forward` returned them; None: nothing.
        cache: from `multilayer_forward`.
    """
    cell, caches = cache
    dstates, gradients = [], []
    for layer in reversed(range(len(caches))):
        N, _, H = dh.shape
        after = cell.empty_state(N, H, dh.dtype) if dlast is None else dlast[layer]
        dh, dstate, *weights = cell.backward(dh, after, caches[layer])
        dstates.append(dstate)
        gradients.append((weights[0], weights[1], weights[2]))
    return dh, dstates[::-1], gradients[::-1]

"""Mistakes about recurrent networks and Transformers."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn

from pellucid.proof.errata.erratum import Erratum, apart
from pellucid.scratch.attention.encoder import encoder_block_forward, make_encoder_block
from pellucid.scratch.attention.positional import positions_forward, sinusoidal_positions
from pellucid.scratch.attention.scaled_dot_product import causal_mask
from pellucid.scratch.recurrent.cells import CELLS
from pellucid.scratch.recurrent.lstm import lstm_step_forward

Array = np.ndarray

# ----------------------------------------------------------------------------------------------------- recurrent layers

STEPS, UNITS = 4, 3
LAYERS = [CELLS["lstm"].make_parameters(UNITS, UNITS, np.random.default_rng(seed)) for seed in (0, 1)]
SEQUENCE = np.random.default_rng(2).standard_normal((2, STEPS, UNITS))
TORCH_GATES = np.r_[
    0 : 2 * UNITS, 3 * UNITS : 4 * UNITS, 2 * UNITS : 3 * UNITS
]  # ours are i, f, o, g, theirs i, f, g, o


def _torch_lstm() -> Array:
    """PyTorch's LSTM of two layers with our weights: the outputs of the upper one, (N, T, H)."""
    lstm = nn.LSTM(UNITS, UNITS, num_layers=2, batch_first=True, dtype=torch.float64)
    weights = {}
    for layer, (Wx, Wh, b) in enumerate(LAYERS):
        weights[f"weight_ih_l{layer}"] = torch.tensor(Wx.T[TORCH_GATES])
        weights[f"weight_hh_l{layer}"] = torch.tensor(Wh.T[TORCH_GATES])
        weights[f"bias_ih_l{layer}"] = torch.tensor(b[TORCH_GATES])
        weights[f"bias_hh_l{layer}"] = torch.zeros(4 * UNITS, dtype=torch.float64)
    lstm.load_state_dict(weights)
    with torch.no_grad():
        return np.asarray(lstm(torch.tensor(SEQUENCE))[0])


def _stack(beside: Callable[[int, int], tuple[int, int]]) -> Array:
    """The stack step by step; unit (t, l) reads the layer below, and the state at `beside(t, l)`."""
    zeros = np.zeros((len(SEQUENCE), UNITS))
    h = {(0, layer): zeros for layer in (1, 2)} | {(t, 0): SEQUENCE[:, t - 1] for t in range(1, STEPS + 1)}
    c = {(0, layer): zeros for layer in (1, 2)}
    for t in range(1, STEPS + 1):
        for layer, parameters in enumerate(LAYERS, 1):
            below, before = h[t, layer - 1], h[beside(t, layer)]
            h[t, layer], c[t, layer], _ = lstm_step_forward(below, before, c[t - 1, layer], *parameters)
    return np.stack([h[t, 2] for t in range(1, STEPS + 1)], axis=1)


MULTILAYER_LSTM = Erratum(
    title="What a unit of a deep LSTM sees",
    printed="The notes on recurrent networks compute the gates of h_t^l from (h_t^{l-1}, h_t^l), itself among them.",
    right="From (h_t^{l-1}, h_{t-1}^l): the layer below now, and its own layer one step before.",
    measure="largest difference from PyTorch's LSTM of two layers",
    error=lambda beside: apart(_stack(beside), _torch_lstm()),
    printed_version=lambda t, layer: (t, layer),
    right_version=lambda t, layer: (t - 1, layer),
)

# ---------------------------------------------------------------------------------------------------------- Transformer

WORDS, WIDTH, HEADS = 5, 8, 2
BLOCK = make_encoder_block(WIDTH, 16, np.random.default_rng(3))
SENTENCE = np.random.default_rng(4).standard_normal((1, WORDS, WIDTH))


def _leak(block: Callable[[Array], Array]) -> float:
    """The largest change in the first words' outputs when the last word is another one."""
    other = SENTENCE.copy()
    other[:, -1] += np.random.default_rng(5).standard_normal(WIDTH)
    return apart(block(SENTENCE)[:, :-1], block(other)[:, :-1])


def _features_masked(x: Array) -> Array:
    keep = np.arange(WIDTH) < WIDTH - 2  # "surplus" features are hidden, words are not
    return encoder_block_forward(x * keep, BLOCK, HEADS)[0]


CAUSAL_MASK = Erratum(
    title="What the mask in a decoder hides",
    printed="The notes on the Transformer: the mask of the decoder's first attention hides surplus features.",
    right="It hides words to come. Else, in training, a step could copy the word it should guess.",
    measure="largest change in the outputs before the last word when that word changes",
    error=_leak,
    printed_version=_features_masked,
    right_version=lambda x: encoder_block_forward(x, BLOCK, HEADS, causal_mask(x.shape[1]))[0],
)


def _off_parts(claimed: Mapping[str, int]) -> int:
    """How far the counts are from the modules in PyTorch's decoder block."""
    found = [type(module).__name__ for module in nn.TransformerDecoderLayer(WIDTH, HEADS, 16).modules()]
    return sum(abs(found.count(name) - count) for name, count in claimed.items())


DECODER_PARTS = Erratum(
    title="How a decoder hears the source",
    printed="The notes on the Transformer: between its attentions the decoder takes in what an LSTM hands on.",
    right="There is no LSTM in it. The second attention takes its keys and values from the encoder's output.",
    measure="attentions and LSTMs more or fewer than in PyTorch's decoder block",
    error=_off_parts,
    printed_version={"MultiheadAttention": 2, "LSTM": 1},
    right_version={"MultiheadAttention": 2, "LSTM": 0},
)


def _order_unseen(encoder: Callable[[Array], Array]) -> float:
    """Share of words whose output is the same after all words have changed places."""
    order = np.roll(np.arange(WORDS), 1)
    change = encoder(SENTENCE[:, order]) - encoder(SENTENCE)[:, order]
    return float(np.mean(np.abs(change).max(axis=2) < 1e-9))


def _with_positions(x: Array) -> Array:
    placed, _ = positions_forward(x, sinusoidal_positions(WORDS, WIDTH))
    return encoder_block_forward(placed, BLOCK, HEADS)[0]


POSITIONS = Erratum(
    title="How a Transformer knows the order of words",
    printed="The notes on the Transformer go from the embedding straight to the encoder and never mention positions.",
    right="A vector that depends on the place is added to each embedding. Attention alone takes a sentence as a set.",
    measure="share of words whose output stays the same when all words change places",
    error=_order_unseen,
    printed_version=lambda x: encoder_block_forward(x, BLOCK, HEADS)[0],
    right_version=_with_positions,
)

ERRATA = (MULTILAYER_LSTM, CAUSAL_MASK, DECODER_PARTS, POSITIONS)

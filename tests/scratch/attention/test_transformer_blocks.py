"""The blocks of the Transformer: how many parameters, what may influence what, and what an order is to them."""

import numpy as np
import pytest

from pellucid.scratch.attention.decoder import decoder_block_backward, decoder_block_forward, make_decoder_block
from pellucid.scratch.attention.encoder import encoder_block_backward, encoder_block_forward, make_encoder_block
from pellucid.scratch.attention.positional import positions_forward, sinusoidal_positions
from pellucid.scratch.layers.embedding import word_embedding_forward

D, HEADS, FF = 8, 2, 12
ORDERS = pytest.mark.parametrize("pre_norm", [False, True])


def draw(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def blocks() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    return make_encoder_block(D, FF, rng), make_decoder_block(D, FF, rng)


def test_parameters_of_the_paper() -> None:
    rng = np.random.default_rng(0)
    encoder = sum(a.size for a in make_encoder_block(512, 2048, rng, np.float32).values())
    decoder = sum(a.size for a in make_decoder_block(512, 2048, rng, np.float32).values())
    assert encoder == 3_152_384
    assert decoder == 4_204_032
    assert 6 * (encoder + decoder) == 44_138_496


def test_words_of_512_numbers() -> None:
    """A vocabulary of 1000: 512,000 parameters, and what comes out of a block has the shape of what went in."""
    rng = np.random.default_rng(0)
    table = rng.standard_normal((1000, 512)).astype(np.float32)
    embedded, _ = word_embedding_forward(rng.integers(0, 1000, (2, 5)), table)
    x, _ = positions_forward(embedded, sinusoidal_positions(5, 512, np.float32))
    params = make_encoder_block(512, 2048, rng, np.float32)
    out, _ = encoder_block_forward(x, params, 8)
    assert table.size == 512_000
    assert x.shape == out.shape == (2, 5, 512)
    assert out.dtype == np.float32


@ORDERS
def test_a_future_token_has_no_influence_at_all(pre_norm: bool) -> None:
    """Not a small one: not a bit of the output changes, and the gradient is exactly 0."""
    _, params = blocks()
    x, memory = draw(2, 6, D), draw(2, 4, D, seed=2)
    out, cache = decoder_block_forward(x, memory, params, HEADS, pre_norm=pre_norm)
    dout = np.zeros_like(out)
    dout[:, 2] = draw(2, D, seed=3)
    dx, _, _ = decoder_block_backward(dout, cache)
    assert not dx[:, 3:].any()
    assert dx[:, :3].all()
    x[:, 3:] = 100 * draw(2, 3, D, seed=4)
    moved, _ = decoder_block_forward(x, memory, params, HEADS, pre_norm=pre_norm)
    assert np.array_equal(moved[:, :3], out[:, :3])
    assert np.abs(moved[:, 3:] - out[:, 3:]).min() > 0


def test_all_at_once_is_one_after_the_other() -> None:
    """What the mask is for: training on whole sentences gives what speaking word by word would."""
    _, params = blocks()
    x, memory = draw(1, 5, D), draw(1, 3, D, seed=2)
    out, _ = decoder_block_forward(x, memory, params, HEADS)
    for T in range(1, 6):
        so_far, _ = decoder_block_forward(x[:, :T], memory, params, HEADS)
        assert np.allclose(so_far[:, -1], out[:, T - 1], rtol=0, atol=1e-12)


@ORDERS
def test_the_memory_is_heard_through_cross_attention(pre_norm: bool) -> None:
    """And only there: with its value weights at 0 the source says nothing."""
    _, params = blocks()
    x, memory = draw(2, 3, D), draw(2, 4, D, seed=2)
    out, cache = decoder_block_forward(x, memory, params, HEADS, pre_norm=pre_norm)
    assert decoder_block_backward(draw(2, 3, D, seed=5), cache)[1].all()
    other, _ = decoder_block_forward(x, memory + 1, params, HEADS, pre_norm=pre_norm)
    assert np.abs(other - out).max() > 1e-3
    params["cross.w_v"] = np.zeros((D, D))
    first, _ = decoder_block_forward(x, memory, params, HEADS, pre_norm=pre_norm)
    second, _ = decoder_block_forward(x, 2 * memory + 1, params, HEADS, pre_norm=pre_norm)
    assert np.array_equal(first, second)


@ORDERS
def test_without_positions_a_sentence_is_a_set(pre_norm: bool) -> None:
    """Places swapped before the encoder are places swapped after it; with positions they are not."""
    params, _ = blocks()
    x, order = draw(2, 5, D), np.array([3, 0, 4, 1, 2])
    out, _ = encoder_block_forward(x, params, HEADS, pre_norm=pre_norm)
    swapped, _ = encoder_block_forward(x[:, order], params, HEADS, pre_norm=pre_norm)
    assert np.allclose(swapped, out[:, order], rtol=0, atol=1e-12)

    P = sinusoidal_positions(5, D)
    placed, _ = encoder_block_forward(positions_forward(x, P)[0], params, HEADS, pre_norm=pre_norm)
    moved, _ = encoder_block_forward(positions_forward(x[:, order], P)[0], params, HEADS, pre_norm=pre_norm)
    assert np.abs(moved - placed[:, order]).max() > 0.1


@ORDERS
@pytest.mark.parametrize("added", [False, True])
def test_padding_does_not_matter(pre_norm: bool, added: bool) -> None:
    params, decoder = blocks()
    x, memory = draw(1, 3, D), draw(1, 2, D, seed=2)
    longer = np.concatenate([x, draw(1, 2, D, seed=3)], axis=1)
    allowed = np.array([[[True, True, True, False, False]]])
    mask = np.where(allowed, 0.0, -np.inf) if added else allowed
    out, _ = encoder_block_forward(x, params, HEADS, pre_norm=pre_norm)
    padded, _ = encoder_block_forward(longer, params, HEADS, mask, pre_norm)
    assert np.allclose(padded[:, :3], out, rtol=0, atol=1e-12)
    out, _ = decoder_block_forward(memory, x, decoder, HEADS, pre_norm=pre_norm)
    padded, _ = decoder_block_forward(memory, longer, decoder, HEADS, mask, pre_norm)
    assert np.allclose(padded, out, rtol=0, atol=1e-12)


def test_post_norm_leaves_every_place_standardised_and_pre_norm_leaves_a_way_around() -> None:
    params, _ = blocks()
    x = 50 * draw(2, 3, D)
    post, _ = encoder_block_forward(x, params, HEADS)
    assert np.allclose(post.mean(axis=-1), 0, atol=1e-12)
    assert np.allclose(post.std(axis=-1), 1, atol=1e-3)
    for name in ("self.w_o", "ff.w2"):
        params[name] = np.zeros_like(params[name])
    pre, cache = encoder_block_forward(x, params, HEADS, pre_norm=True)
    dx, _ = encoder_block_backward(x, cache)
    assert np.array_equal(pre, x)
    assert np.array_equal(dx, x)


@pytest.mark.parametrize(("N", "T"), [(0, 3), (1, 1)])
def test_no_sentence_or_a_single_word(N: int, T: int) -> None:
    encoder, decoder = blocks()
    x, memory = draw(N, T, D), draw(N, 2, D)
    out, cache = encoder_block_forward(x, encoder, HEADS)
    dx, grads = encoder_block_backward(np.ones_like(out), cache)
    assert dx.shape == x.shape
    assert {name: g.shape for name, g in grads.items()} == {name: a.shape for name, a in encoder.items()}
    out, cache = decoder_block_forward(x, memory, decoder, HEADS)
    dx, dmemory, grads = decoder_block_backward(np.ones_like(out), cache)
    assert (dx.shape, dmemory.shape) == (x.shape, memory.shape)
    assert {name: g.shape for name, g in grads.items()} == {name: a.shape for name, a in decoder.items()}

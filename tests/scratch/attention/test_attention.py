"""Attention by its properties: means, masks, heads, positions."""

from typing import Any

import numpy as np
import pytest

from pellucid.core.errors import DataError
from pellucid.scratch.attention.feed_forward import feed_forward_forward
from pellucid.scratch.attention.multi_head import make_multi_head, multi_head_backward, multi_head_forward
from pellucid.scratch.attention.positional import positions_backward, positions_forward, sinusoidal_positions
from pellucid.scratch.attention.scaled_dot_product import (
    attention_scores,
    attention_weights,
    causal_mask,
    scaled_dot_product_backward,
    scaled_dot_product_forward,
)


def draw(*shapes: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


# ------------------------------------------------------------------------------ scaled dot product


def test_every_row_of_weights_sums_to_one() -> None:
    query, key = draw((2, 3, 5, 4), (2, 3, 6, 4))
    weights = attention_weights(query, key)
    assert weights.shape == (2, 3, 5, 6)
    assert (weights > 0).all()
    assert np.allclose(weights.sum(axis=-1), 1, rtol=0, atol=1e-14)


def test_two_keys_by_hand() -> None:
    """Scores 2/√4 and 0: weights e/(e + 1) and 1/(e + 1)."""
    query, key = np.array([[2.0, 0, 0, 0]]), np.array([[1.0, 0, 0, 0], [0, 1, 0, 0]])
    out, _ = scaled_dot_product_forward(query, key, np.array([[1.0], [0.0]]))
    assert out[0, 0] == pytest.approx(np.e / (np.e + 1), abs=1e-15)


def test_equal_keys_give_the_plain_mean() -> None:
    query, value = draw((3, 4), (5, 2))
    out, _ = scaled_dot_product_forward(query, np.ones((5, 4)), value)
    assert np.allclose(out, value.mean(axis=0), rtol=0, atol=1e-14)


def test_the_root_keeps_the_spread_of_the_scores() -> None:
    """Of 64 columns as of 4: without it the largest weight would be nearly 1."""
    spreads = []
    for d in (4, 64):
        query, key = draw((500, d), (500, d))
        scores = np.log(attention_weights(query, key))
        spreads.append((scores - scores.mean(axis=1, keepdims=True)).std())
    assert spreads == pytest.approx([1, 1], abs=0.05)


def test_what_is_masked_has_no_influence_at_all() -> None:
    query, key, value = draw((3, 4), (5, 4), (5, 2))
    mask = np.ones((3, 5), bool)
    mask[:, 1] = False
    out, cache = scaled_dot_product_forward(query, key, value, mask)
    _, dkey, dvalue = scaled_dot_product_backward(np.ones_like(out), cache)
    key[1], value[1] = 1e30, -1e30
    assert np.array_equal(scaled_dot_product_forward(query, key, value, mask)[0], out)
    assert not dkey[1].any() and not dvalue[1].any()


def test_a_query_that_may_see_nothing_reads_nothing() -> None:
    query, key, value = draw((3, 4), (5, 4), (5, 2))
    mask = np.ones((3, 5), bool)
    mask[1] = False
    out, cache = scaled_dot_product_forward(query, key, value, mask)
    dquery, _, _ = scaled_dot_product_backward(np.ones_like(out), cache)
    assert not out[1].any() and not dquery[1].any() and out[[0, 2]].all()


def test_far_scores_do_not_overflow() -> None:
    query, key, value = draw((3, 4), (5, 4), (5, 2))
    out, cache = scaled_dot_product_forward(1e20 * query, 1e20 * key, value)
    assert np.array_equal(out, value[(query @ key.T).argmax(axis=1)])
    assert all(np.isfinite(g).all() for g in scaled_dot_product_backward(np.ones_like(out), cache))


@pytest.mark.parametrize(("N", "T", "S"), [(0, 2, 3), (2, 0, 3), (2, 3, 0), (1, 1, 1)])
def test_nothing_to_ask_or_to_read(N: int, T: int, S: int) -> None:
    query, key, value = draw((N, T, 4), (N, S, 4), (N, S, 2))
    out, cache = scaled_dot_product_forward(query, key, value)
    assert out.shape == (N, T, 2)
    shapes = [g.shape for g in scaled_dot_product_backward(np.ones_like(out), cache)]
    assert shapes == [query.shape, key.shape, value.shape]
    assert S > 0 or not out.any()


def test_a_step_sees_itself_and_what_was_before() -> None:
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(0).shape == (0, 0)


@pytest.mark.parametrize(
    ("shapes", "mask", "message"),
    [
        (
            ((2, 3, 4), (2, 5, 3), (2, 5, 2)),
            None,
            "attention: query must be (..., T, d) and key (..., S, d), got (2, 3, 4) and (2, 5, 3).",
        ),
        (
            ((2, 3, 4), (2, 5, 4), (2, 6, 2)),
            None,
            "attention: key (2, 5, 4) needs one value a key, (..., 5, m), got (2, 6, 2).",
        ),
        (
            ((2, 3, 4), (2, 5, 4), (2, 5, 2)),
            np.ones((3, 5), dtype=np.int64),
            "attention: the mask must hold booleans, True where a query may look, or floats to add to the scores, "
            "got int64.",
        ),
        (
            ((2, 3, 4), (2, 5, 4), (2, 5, 2)),
            np.ones((5, 3), bool),
            "attention: the mask must broadcast to the scores (2, 3, 5), got (5, 3).",
        ),
    ],
)
def test_what_does_not_fit_is_named(shapes: Any, mask: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        scaled_dot_product_forward(*draw(*shapes), mask)
    assert str(caught.value) == message


# ------------------------------------------------------------------------ masks to add, and a softcap


def test_a_number_in_the_mask_multiplies_the_weight_of_a_key() -> None:
    """ln 3 for the second of three equal keys: weights 1, 3, 1 of 5."""
    weights = attention_weights(np.ones((2, 4)), np.ones((3, 4)), np.log([1.0, 3.0, 1.0]))
    assert np.allclose(weights, np.array([[0.2, 0.6, 0.2]] * 2), rtol=0, atol=1e-15)


def test_the_same_number_for_all_keys_changes_nothing() -> None:
    query, key = draw((2, 3, 4), (2, 5, 4))
    raised = attention_weights(query, key, np.array([[1e3], [-1e3], [0.5]]))
    assert np.allclose(raised, attention_weights(query, key), rtol=0, atol=1e-12)


@pytest.mark.parametrize("softcap", [None, 0.5])
@pytest.mark.parametrize("shape", [(3, 5), (5,), (3, 1), (2, 1, 5), (2, 3, 5), ()])
def test_zero_and_minus_infinity_are_yes_and_no(shape: tuple[int, ...], softcap: float | None) -> None:
    query, key, value = draw((2, 3, 4), (2, 5, 4), (2, 5, 2))
    allowed = np.random.default_rng(1).random(shape) < 0.6
    added = np.where(allowed, 0.0, -np.inf)
    results = []
    for mask in (allowed, added):
        out, cache = scaled_dot_product_forward(query, key, value, mask, softcap)
        results.append([out, cache.weights, *scaled_dot_product_backward(np.ones_like(out), cache)])
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))


def test_a_row_of_minus_infinities_reads_nothing() -> None:
    query, key, value = draw((3, 4), (5, 4), (5, 2))
    mask = np.ones((3, 5))
    mask[1] = -np.inf
    out, cache = scaled_dot_product_forward(query, key, value, mask)
    dquery, dkey, _ = scaled_dot_product_backward(np.ones_like(out), cache)
    assert not out[1].any() and not cache.weights[1].any() and not dquery[1].any()
    assert out[[0, 2]].all() and np.isfinite(dkey).all()


def test_a_key_hidden_by_minus_infinity_has_no_influence_at_all() -> None:
    query, key, value = draw((3, 4), (5, 4), (5, 2))
    mask = np.zeros(5)
    mask[1] = -np.inf
    out, cache = scaled_dot_product_forward(query, key, value, mask)
    _, dkey, dvalue = scaled_dot_product_backward(np.ones_like(out), cache)
    key[1], value[1] = 1e30, -1e30
    assert np.array_equal(scaled_dot_product_forward(query, key, value, mask)[0], out)
    assert not dkey[1].any() and not dvalue[1].any()


def test_the_lowest_number_for_all_keys_leaves_their_mean() -> None:
    """Some write that in the place of -∞; the row is then hidden nowhere more than elsewhere."""
    query, key, value = (x.astype(np.float32) for x in draw((3, 4), (5, 4), (5, 2)))
    out, _ = scaled_dot_product_forward(query, key, value, np.full((3, 5), np.finfo(np.float32).min))
    assert out.dtype == np.float32
    assert np.allclose(out, value.mean(axis=0), rtol=0, atol=1e-6)


def test_a_mask_of_another_precision_leaves_that_of_the_scores() -> None:
    query, key, value = draw((3, 4), (5, 4), (5, 2))
    mask = np.tri(3, 5) - 1.0
    wanted, _ = scaled_dot_product_forward(query, key, value, mask)
    short = (x.astype(np.float32) for x in (query, key, value))
    out, cache = scaled_dot_product_forward(*short, mask)
    assert out.dtype == cache.weights.dtype == np.float32
    assert np.allclose(out, wanted, rtol=0, atol=1e-6)


def test_a_distance_taken_off_makes_near_keys_count_more() -> None:
    """What masks to add are used for: a penalty for every step between query and key."""
    steps = -np.abs(np.arange(4.0)[:, None] - np.arange(4))
    weights = attention_weights(np.zeros((4, 2)), np.zeros((4, 2)), steps)
    assert weights.argmax(axis=1).tolist() == [0, 1, 2, 3]
    assert weights[0] == pytest.approx(np.exp(-np.arange(4.0)) / np.exp(-np.arange(4.0)).sum(), abs=1e-15)


def test_a_softcap_holds_scores_and_weights_in_bounds() -> None:
    query, key = draw((3, 4), (5, 4))
    scores = attention_scores(1e6 * query, key, softcap=2.0)
    assert np.array_equal(np.abs(scores), np.full((3, 5), 2.0))
    assert attention_weights(1e6 * query, key, softcap=2.0).min() >= np.exp(-4.0) / 5


def test_a_softcap_far_above_the_scores_does_nothing() -> None:
    query, key = draw((3, 4), (5, 4))
    assert np.allclose(attention_scores(query, key, softcap=1e6), attention_scores(query, key), rtol=0, atol=1e-10)


def test_a_softcap_does_not_uncover_what_is_masked() -> None:
    query, key = draw((3, 4), (5, 4))
    for mask in (np.arange(5) < 3, np.where(np.arange(5) < 3, 0.0, -np.inf)):
        weights = attention_weights(query, key, mask, 0.5)
        assert not weights[:, 3:].any() and weights[:, :3].all()


@pytest.mark.parametrize("softcap", [2, np.float64(2), np.float32(2)])
def test_a_softcap_keeps_the_precision(softcap: Any) -> None:
    query, key, value = (x.astype(np.float32) for x in draw((3, 4), (5, 4), (5, 2)))
    out, cache = scaled_dot_product_forward(query, key, value, None, softcap)
    assert {a.dtype for a in (out, *scaled_dot_product_backward(np.ones_like(out), cache))} == {np.dtype(np.float32)}


@pytest.mark.parametrize("softcap", [0, -2.0, float("nan")])
def test_a_softcap_is_above_0(softcap: float) -> None:
    with pytest.raises(DataError) as caught:
        scaled_dot_product_forward(*draw((3, 4), (5, 4), (5, 2)), None, softcap)
    assert str(caught.value) == f"attention: softcap must be above 0, or None for scores of any size, got {softcap}."


# --------------------------------------------------------------------------------------- multi-head


def test_heads_are_attentions_over_columns_of_their_own() -> None:
    params = make_multi_head(6, np.random.default_rng(0))
    query, key = draw((2, 3, 6), (2, 4, 6))
    out, cache = multi_head_forward(query, key, key, params, 2)
    assert cache.attention.weights.shape == (2, 2, 3, 4)
    q, k, v = (x @ params[f"w_{name}"] for x, name in ((query, "q"), (key, "k"), (key, "v")))
    halves = [scaled_dot_product_forward(*(x[..., part] for x in (q, k, v)))[0] for part in (slice(3), slice(3, 6))]
    assert np.allclose(out, np.concatenate(halves, axis=-1) @ params["w_o"], rtol=0, atol=1e-14)


@pytest.mark.parametrize("shape", [(3, 4), (1, 4), (2, 3, 4), (2, 1, 4), (2, 2, 3, 4), (1, 2, 1, 4)])
def test_a_mask_to_add_reaches_its_samples_and_heads(shape: tuple[int, ...]) -> None:
    params = make_multi_head(6, np.random.default_rng(0))
    query, key, mask = draw((2, 3, 6), (2, 4, 6), shape)
    _, plain = multi_head_forward(query, key, key, params, 2)
    _, cache = multi_head_forward(query, key, key, params, 2, mask)
    factors = np.exp(mask if mask.ndim == 4 else mask.reshape(-1, 1, *shape[-2:]))
    wanted = plain.attention.weights * factors
    wanted /= wanted.sum(axis=-1, keepdims=True)
    assert np.allclose(cache.attention.weights, wanted, rtol=0, atol=1e-14)


def test_no_softmax_notices_the_bias_of_the_keys() -> None:
    params = make_multi_head(6, np.random.default_rng(0))
    (x,) = draw((2, 3, 6))
    before, _ = multi_head_forward(x, x, x, params, 3)
    params["b_k"] = np.arange(6.0)
    after, cache = multi_head_forward(x, x, x, params, 3)
    assert np.allclose(before, after, rtol=0, atol=1e-14)
    assert np.abs(multi_head_backward(np.ones_like(after), cache)[3]["b_k"]).max() < 1e-14


def test_columns_that_cannot_be_shared_are_refused() -> None:
    x = np.ones((1, 2, 6))
    with pytest.raises(DataError) as caught:
        multi_head_forward(x, x, x, make_multi_head(6, np.random.default_rng(0)), 4)
    assert str(caught.value) == "multi_head: the heads must share 6 columns evenly, got 4 heads."


def test_512_columns_are_a_million_weights() -> None:
    params = make_multi_head(512, np.random.default_rng(0), np.float32)
    assert sum(a.size for a in params.values()) == 1_050_624
    ff = feed_forward_forward(np.ones((2, 3, 512)), *(np.ones(s) for s in ((512, 2048), 2048, (2048, 512), 512)))[0]
    assert ff.shape == (2, 3, 512)


# ---------------------------------------------------------------------------------------- positions


def test_positions_of_the_paper() -> None:
    P = sinusoidal_positions(50, 512)
    assert P.shape == (50, 512)
    assert np.array_equal(P[0], np.tile([0.0, 1.0], 256))
    assert P[3, :2] == pytest.approx([np.sin(3), np.cos(3)], abs=1e-15)
    assert P[7, 2 * 10] == pytest.approx(np.sin(7 / 10000 ** (20 / 512)), abs=1e-15)
    assert sinusoidal_positions(5, 4, np.float32).dtype == np.float32


def test_the_product_of_two_places_depends_on_their_distance() -> None:
    product = (P := sinusoidal_positions(30, 16)) @ P.T
    for distance in range(30):
        diagonal = np.diagonal(product, distance)
        assert np.allclose(diagonal, diagonal[0], rtol=0, atol=1e-13)
    assert product[0, 0] == pytest.approx(8, abs=1e-14)
    assert (product[0, 1:] < product[0, 0]).all()


def test_no_two_places_are_alike() -> None:
    P = sinusoidal_positions(400, 32)
    apart = np.linalg.norm(P[:, None] - P, axis=-1) + 10 * np.eye(400)
    assert apart.min() > 0.5


def test_a_learnt_table_may_be_longer_than_the_text() -> None:
    x, P = draw((2, 3, 4), (5, 4))
    out, cache = positions_forward(x, P)
    dx, dP = positions_backward(np.ones_like(out), cache)
    assert np.array_equal(dx, np.ones_like(x))
    assert dP.tolist() == [[2] * 4] * 3 + [[0] * 4] * 2
    with pytest.raises(DataError) as caught:
        positions_forward(x, P[:2])
    assert str(caught.value) == "positions: the table has 2 places, x (2, 3, 4) needs 3."
    with pytest.raises(DataError) as width:
        positions_forward(x, P[:, :3])
    assert str(width.value) == "positions: x must be (N, T, d) and the table (L, d), got (2, 3, 4) and (5, 3)."

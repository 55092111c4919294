"""The captioner gives the notebooks' losses, learns a few sentences by heart, and speaks as it was taught."""

import numpy as np
import pytest

from pellucid.core.errors import ConfigError, DataError
from pellucid.scratch.nets.captioner import CaptioningRNN

WORDS = {"<NULL>": 0, "<START>": 1, "<END>": 2, "a": 3, "black": 4, "white": 5, "cat": 6, "dog": 7, "sleeps": 8}
SENTENCES = ["a black cat", "a white dog sleeps", "cat", "a dog sleeps"]
KINDS = [(cell, image) for cell in ("rnn", "lstm", "gru") for image in ("start", "every step")]


@pytest.mark.parametrize(
    ("cell", "low", "high", "expected"),
    [("rnn", -1.5, 0.3, 9.83235591003), ("lstm", -0.5, 1.7, 9.82445935443)],
)
def test_loss_of_the_notebook(cell: str, low: float, high: float, expected: float) -> None:
    N, D, W, H, T = 10, 20, 30, 40, 13
    words = {"<NULL>": 0, "cat": 2, "dog": 3}
    model = CaptioningRNN(words, input_dim=D, wordvec_dim=W, hidden_dim=H, cell_type=cell, dtype=np.float64)
    for name, value in model.params.items():
        model.params[name] = np.linspace(-1.4, 1.3, num=value.size).reshape(*value.shape)
    captions = (np.arange(N * T) % len(words)).reshape(N, T)
    loss, _ = model.loss(np.linspace(low, high, N * D).reshape(N, D), captions)
    assert loss == pytest.approx(expected, abs=5e-11)


def lesson() -> tuple[np.ndarray, np.ndarray]:
    """Four pictures and their sentences, filled up with <NULL>."""
    captions = np.zeros((4, 6), np.int64)
    for row, sentence in zip(captions, SENTENCES, strict=True):
        words = ["<START>", *sentence.split(), "<END>"]
        row[: len(words)] = [WORDS[word] for word in words]
    return np.random.default_rng(0).standard_normal((4, 10)), captions


@pytest.mark.parametrize(("cell", "image"), KINDS)
def test_a_few_sentences_are_learnt_by_heart(cell: str, image: str) -> None:
    features, captions = lesson()
    model = CaptioningRNN(WORDS, 10, 16, 24, cell, image=image)
    first, _ = model.loss(features, captions)
    assert first == pytest.approx((captions[:, 1:] > 0).sum() / 4 * np.log(9), rel=0.25)
    moments = {name: np.zeros_like(value) for name, value in model.params.items()}
    for _ in range(150):
        loss, grads = model.loss(features, captions)
        for name, grad in grads.items():
            moments[name] = 0.9 * moments[name] + grad
            model.params[name] -= 0.05 * moments[name]
    assert loss < 0.1
    said = model.sample(features, 7)
    assert [" ".join(model.idx_to_word[w] for w in row if w > 2) for row in said] == SENTENCES
    assert np.array_equal(said[:, :5], captions[:, 1:])
    assert not said[:, 5:].any()


@pytest.mark.parametrize(("cell", "image"), KINDS)
def test_padding_adds_nothing_and_words_before_it_stay(cell: str, image: str) -> None:
    features, captions = lesson()
    model = CaptioningRNN(WORDS, 10, 16, 24, cell, np.float64, image)
    loss, grads = model.loss(features, captions)
    longer, more = model.loss(features, np.pad(captions, ((0, 0), (0, 4))))
    assert longer == pytest.approx(loss, abs=1e-12)
    assert all(np.allclose(more[name], grads[name], rtol=0, atol=1e-12) for name in grads)


@pytest.mark.parametrize(("cell", "image"), KINDS)
def test_the_image_decides(cell: str, image: str) -> None:
    features, captions = lesson()
    model = CaptioningRNN(WORDS, 10, 16, 24, cell, np.float64, image)
    assert abs(model.loss(features, captions)[0] - model.loss(features[::-1], captions)[0]) > 1e-4
    alone = [model.loss(features[n : n + 1], captions[n : n + 1])[0] for n in range(4)]
    assert np.mean(alone) == pytest.approx(model.loss(features, captions)[0], abs=1e-12)


def test_integers_as_features_and_float32_inside() -> None:
    _, captions = lesson()
    loss, grads = CaptioningRNN(WORDS, 10).loss(np.ones((4, 10), np.int64), captions)
    assert np.isfinite(loss)
    assert {grad.dtype for grad in grads.values()} == {np.dtype(np.float32)}


def test_no_picture_says_nothing() -> None:
    model = CaptioningRNN(WORDS, 10)
    loss, grads = model.loss(np.ones((0, 10)), np.ones((0, 5), np.int64))
    assert loss == 0
    assert not any(grad.any() for grad in grads.values())
    assert model.sample(np.ones((0, 10)), 3).shape == (0, 3)


def test_errors_say_what_is_missing() -> None:
    features, captions = lesson()
    model = CaptioningRNN(WORDS, 10)
    with pytest.raises(DataError) as caught:
        model.loss(features, captions[:3])
    assert str(caught.value) == ("The captions must be (4, at least 2 words) to fit the features (4, 10), got (3, 6).")
    with pytest.raises(DataError) as null:
        CaptioningRNN({"cat": 0})
    assert str(null.value) == "The vocabulary of 1 words has no <NULL>. Add it."
    with pytest.raises(DataError) as start:
        CaptioningRNN({"<NULL>": 0}, 10).sample(features)
    assert str(start.value) == "The vocabulary of 1 words has no <START>. Add it."
    with pytest.raises(ConfigError) as place:
        CaptioningRNN(WORDS, image="end")
    assert str(place.value) == "Unknown place for the image 'end'. Choose from: every step, start."

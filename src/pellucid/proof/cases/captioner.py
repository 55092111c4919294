"""Proofs of the captioner: loss and gradients beside PyTorch, speech beside a plain loop, first weights."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from pellucid.core.errors import PellucidError
from pellucid.proof.case import Case, Check, Subject
from pellucid.proof.cases.recurrent import recurrent_twin
from pellucid.scratch.checks.gradcheck import check_gradient
from pellucid.scratch.nets import captioner

WORDS = {"<NULL>": 0, "cat": 4, "<START>": 1, "dog": 3, "<END>": 2}
KINDS = [(cell, image) for cell in ("rnn", "lstm", "gru") for image in ("start", "every step")]
BLOCKS = {"rnn": (1, 1), "lstm": (4, 4), "gru": (3, 4)}
D, E, H, V = 6, 3, 2, len(WORDS)


def _make(layer: Any, cell: str, image: str) -> Any:
    """A small captioner none of whose parameters is 0."""
    net = layer.CaptioningRNN(WORDS, D, E, H, cell, np.float64, image)
    rng = np.random.default_rng(1)
    net.params = {name: rng.standard_normal(value.shape) for name, value in net.params.items()}
    return net


def _draw() -> tuple[np.ndarray, np.ndarray]:
    """Features, and sentences of three, two and one words."""
    captions = np.array([[1, 3, 4, 3, 2], [1, 4, 3, 2, 0], [1, 3, 2, 0, 0]])
    return np.random.default_rng(2).standard_normal((3, D)), captions


def _scores(p: dict[str, torch.Tensor], cell: str, features: Any, words: Any) -> torch.Tensor:
    """By PyTorch, of a whole sentence from the start."""
    zero = torch.zeros(len(features), H, dtype=torch.float64)
    start, b = (zero, p["b"] + features @ p["W_image"]) if "W_image" in p else (p.get("b_proj"), p["b"])
    h0 = start if "W_image" in p else features @ p["W_proj"] + start
    state = (h0, zero) if cell == "lstm" else (h0,)
    h, _ = recurrent_twin(cell, F.embedding(words, p["W_embed"]), state, [(p["Wx"], p["Wh"], b)])
    return h @ p["W_vocab"] + p["b_vocab"]


def _beside_torch(layer: Any, cell: str, image: str) -> float:
    net, (features, captions) = _make(layer, cell, image), _draw()
    loss, grads = net.loss(features, captions)
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in net.params.items()}
    words = torch.from_numpy(captions)
    scores = _scores(tensors, cell, torch.from_numpy(features), words[:, :-1])
    theirs = F.cross_entropy(scores.flatten(0, 1), words[:, 1:].flatten(), ignore_index=0, reduction="sum") / 3
    theirs.backward()
    if grads.keys() != tensors.keys():
        return math.inf
    errors = [float(np.abs(grads[name] - t.grad.numpy()).max()) for name, t in tensors.items() if t.grad is not None]
    return max(abs(loss - theirs.item()), *errors)


def _beside_differences(layer: Any, cell: str, image: str) -> float:
    net, (features, captions) = _make(layer, cell, image), _draw()
    _, grads = net.loss(features, captions)
    parameters = net.params.items()
    return max(check_gradient(lambda _: net.loss(features, captions)[0], w, grads[n]).error for n, w in parameters)


def _speech(layer: Any, cell: str, image: str, seed: int) -> float:
    """Every word is the likeliest after those before it, the whole sentence computed anew each time."""
    net, features = _make(layer, cell, image), 3 * np.random.default_rng(seed).standard_normal((8, D))
    net.params["b_vocab"] = np.array([0.0, -30.0, -1.0, 0.0, 0.0])  # it does not say <START>, and <END> not at once
    net.params["W_embed"] *= 3  # the last word counts
    tensors = {name: torch.from_numpy(value) for name, value in net.params.items()}
    said = net.sample(features, 6)
    wrong = 0
    for number in range(len(features)):
        words = [1]
        while len(words) < 7 and words[-1] != 2:
            scores = _scores(tensors, cell, torch.from_numpy(features[number : number + 1]), torch.tensor([words]))
            words.append(int(scores[0, -1].argmax()))
        expected = words[1:] + [0] * (7 - len(words))
        wrong += said[number].tolist() != expected
    return float(wrong) if said.shape == (8, 6) and said.dtype == np.int64 else math.inf


def _long_speech(layer: Any) -> float:
    """Thirty words unless told otherwise, and no end where no word means it."""
    net = _make(layer, "rnn", "start")
    net.params["b_vocab"][3] = 1e3
    full = net.sample(np.ones((1, D)))
    del net.word_to_idx["<END>"]
    net.params["b_vocab"][2] = 1e4
    return 0.0 if full.tolist() == [[3] * 30] and net.sample(np.ones((1, D)), 2).tolist() == [[2, 2]] else 1.0


def _refused(layer: Any) -> float:
    net, (features, captions) = _make(layer, "rnn", "start"), _draw()

    def no_start() -> None:
        layer.CaptioningRNN({"<NULL>": 0}, D, E, H).sample(features)

    calls = [
        lambda: net.loss(features, captions[0]),
        lambda: net.loss(features, captions[:2]),
        lambda: net.loss(features, captions[:, :1]),
        lambda: layer.CaptioningRNN({"<START>": 0}),
        no_start,
    ]
    accepted = 0
    for call in calls:
        try:
            call()
            accepted += 1
        except PellucidError:
            pass
    loss, _ = net.loss(features, captions[:, :2])
    return accepted + (not loss > 0)


def _first_weights(layer: Any, cell: str, image: str) -> float:
    """Names, shapes, spreads and format of a net as it comes."""
    net = layer.CaptioningRNN(WORDS, cell_type=cell, image=image)
    gates, biases = BLOCKS[cell]
    shapes = {"W_embed": (V, 128), "Wx": (128, gates * 128), "Wh": (128, gates * 128), "b": (biases * 128,)}
    shapes |= {"W_vocab": (128, V), "b_vocab": (V,)}
    shapes |= {"W_image": (512, biases * 128)} if image == "every step" else {"W_proj": (512, 128), "b_proj": (128,)}
    if {name: value.shape for name, value in net.params.items()} != shapes or any(
        value.dtype != np.float32 or (value.any() == (name[0] == "b")) for name, value in net.params.items()
    ):
        return math.inf
    wide = {n: v.std() * len(v) ** 0.5 for n, v in net.params.items() if n[0] == "W" and n != "W_embed"}
    spread = max(abs(float(value) - 1) for value in (*wide.values(), net.params["W_embed"].std() * 100))
    other = layer.CaptioningRNN(WORDS, cell_type=cell, image=image, seed=1).params["Wx"]
    return spread if not np.array_equal(other, net.params["Wx"]) else math.inf


def _default(layer: Any) -> float:
    net = layer.CaptioningRNN(WORDS)
    words = net.idx_to_word == {number: word for word, number in WORDS.items()}
    same = np.array_equal(net.params["Wx"], layer.CaptioningRNN(WORDS, seed=0).params["Wx"])
    return 0.0 if set(net.params) >= {"W_proj"} and net.cell_type == "rnn" and words and same else 1.0


def captioner_cases(layer: Any) -> Sequence[Case]:
    """For every cell and both ways of the image."""
    return [
        *(Check(f"captioner_{cell}_{image}_twin", partial(_beside_torch, layer, cell, image)) for cell, image in KINDS),
        *(
            Check(f"captioner_{cell}_{image}_gradient", partial(_beside_differences, layer, cell, image), 1e-6)
            for cell, image in KINDS
        ),
        *(Check(f"captioner_{cell}_{image}_speech", partial(_speech, layer, cell, image, 5)) for cell, image in KINDS),
        *(
            Check(f"captioner_{cell}_{image}_start", partial(_first_weights, layer, cell, image), 0.15)
            for cell, image in KINDS
        ),
        Check("captioner_long_speech", partial(_long_speech, layer)),
        Check("captioner_refuses", partial(_refused, layer)),
        Check("captioner_default", partial(_default, layer)),
    ]


SUBJECTS: dict[str, Subject] = {"captioner": Subject(captioner, captioner_cases)}

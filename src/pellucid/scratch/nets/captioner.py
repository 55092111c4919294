"""Captioner: a recurrent net that is shown a picture's features and says a sentence, word after word.

Formula:
    h_0 = v W_proj + b_proj,  e_t = W_embed[w_t],  h_t = cell(e_t, h_{t-1}),  s_t = h_t W_vocab + b_vocab
    L = (1/N) Σ_n Σ_t -ln softmax(s_nt)[w_n,t+1],  <NULL> not counted
    with the image in every step instead:  h_t = tanh(e_t Wx + h_{t-1} Wh + v W_image + b),  h_0 = 0

Derivation:
    In training the words come in as they were said, w_0 ... w_{T-1}, and each step must guess the next, w_1 ... w_T:
    one pass over the sentence, all T losses at once. Backward is the chain of the layers' backwards in reverse; the
    image is reached through h_0 alone, or through the bias of each sample, which gathers from all steps.
    To speak, there are no words to come in: each step gets the likeliest word of the step before, first <START>.
    Short sentences are filled up with <NULL>; the loss skips them, so they can stand there without being learnt.
    At the start all V words are equally likely, and the loss is near (words a sentence) · ln V.

Source: CS231n, assignment 3; Karpathy and Fei-Fei, "Deep visual-semantic alignments for generating image
    descriptions", 2015, for the image in the state's update.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.core.choose import choose
from pellucid.core.errors import DataError
from pellucid.scratch.checks.initialise import xavier
from pellucid.scratch.layers.affine import affine_backward, affine_forward
from pellucid.scratch.layers.embedding import word_embedding_backward, word_embedding_forward
from pellucid.scratch.layers.temporal import temporal_affine_backward, temporal_affine_forward
from pellucid.scratch.losses.temporal_softmax import temporal_softmax_loss
from pellucid.scratch.recurrent.cells import CELLS, State

Arrays = dict[str, np.ndarray]
IMAGE = {"start": False, "every step": True}


class CaptioningRNN:
    """Sentences from features.

    Args:
        word_to_idx: word -> number in 0..V-1; has "<NULL>", and "<START>" and "<END>" to speak.
        input_dim: D, numbers of a picture's features.
        wordvec_dim: numbers of a word's vector.
        hidden_dim: H, units of the state.
        cell_type: "rnn", "lstm" or "gru".
        dtype: of parameters and computation.
        image: where the features go in: "start" or "every step".
        seed: of the first weights.

    Attributes:
        params: "W_proj" (D, H) and "b_proj" (H,), or "W_image" (D, size of b); "W_embed" (V, wordvec_dim), "Wx", "Wh"
            and "b" of the cell, "W_vocab" (H, V) and "b_vocab" (V,).

    Raises:
        ConfigError: no such cell, or no such place for the image.
        DataError: there is no word "<NULL>".
    """

    def __init__(
        self,
        word_to_idx: Mapping[str, int],
        input_dim: int = 512,
        wordvec_dim: int = 128,
        hidden_dim: int = 128,
        cell_type: str = "rnn",
        dtype: Any = np.float32,
        image: str = "start",
        seed: int = 0,
    ) -> None:
        self.cell = choose(cell_type, CELLS, "recurrent cell")
        self.every_step = choose(image, IMAGE, "place for the image")
        self.cell_type, self.dtype = cell_type, dtype
        self.word_to_idx = dict(word_to_idx)
        self.idx_to_word = {number: word for word, number in word_to_idx.items()}
        self.null = self._number("<NULL>")
        V, rng = len(word_to_idx), np.random.default_rng(seed)
        p: Arrays = {"W_embed": 0.01 * rng.standard_normal((V, wordvec_dim))}
        p["Wx"], p["Wh"], p["b"] = self.cell.make_parameters(wordvec_dim, hidden_dim, rng)
        if self.every_step:
            p["W_image"] = xavier((input_dim, len(p["b"])), rng)
        else:
            p["W_proj"], p["b_proj"] = xavier((input_dim, hidden_dim), rng), np.zeros(hidden_dim)
        p["W_vocab"], p["b_vocab"] = xavier((hidden_dim, V), rng), np.zeros(V)
        self.params: Arrays = {name: value.astype(dtype) for name, value in p.items()}

    def loss(self, features: np.ndarray, captions: np.ndarray) -> tuple[float, Arrays]:
        """The loss, a sum over the words of a sentence and a mean over sentences, and the gradient of every parameter.

        Args:
            features: (N, D) of pictures.
            captions: (N, T + 1) words, <START> first, <NULL> after <END>.

        Raises:
            DataError: the shapes do not fit each other, or a word is not in the vocabulary.
        """
        if captions.ndim != 2 or len(captions) != len(features) or captions.shape[1] < 2:
            raise DataError(
                f"The captions must be ({len(features)}, at least 2 words) to fit the features {features.shape},"
                f" got {captions.shape}."
            )
        words, following = captions[:, :-1], captions[:, 1:]
        p, grads = self.params, {}
        state, b, look = self._look(features)
        embedded, embed = word_embedding_forward(words, p["W_embed"])
        h, _, recur = self.cell.forward(embedded, state, p["Wx"], p["Wh"], b)
        scores, vocab = temporal_affine_forward(h, p["W_vocab"], p["b_vocab"])
        loss, dscores = temporal_softmax_loss(scores, following, following != self.null)

        dh, grads["W_vocab"], grads["b_vocab"] = temporal_affine_backward(dscores, vocab)
        nothing = tuple(np.zeros_like(part) for part in state)  # the loss says nothing of the state after the last step
        dembedded, dstate, grads["Wx"], grads["Wh"], db = self.cell.backward(dh, nothing, recur)
        grads["W_embed"] = word_embedding_backward(dembedded, embed)
        if self.every_step:
            _, grads["W_image"], grads["b"] = affine_backward(db, look)
        else:
            _, grads["W_proj"], grads["b_proj"] = affine_backward(dstate[0], look)
            grads["b"] = db
        return loss, grads

    def sample(self, features: np.ndarray, max_length: int = 30) -> np.ndarray:
        """Captions (N, max_length), always the likeliest word; <NULL> after <END>.

        Args:
            features: (N, D) of pictures.
            max_length: words at most.

        Raises:
            DataError: there is no word "<START>", or the shapes do not fit.
        """
        end = self.word_to_idx.get("<END>")
        captions = np.full((len(features), max_length), self.null, dtype=np.int64)
        word = np.full(len(features), self._number("<START>"))
        speaking = np.ones(len(features), dtype=bool)
        state, b, _ = self._look(features)
        p = self.params
        for t in range(max_length):
            embedded, _ = word_embedding_forward(word[:, None], p["W_embed"])  # (N, 1, wordvec_dim)
            h, state, _ = self.cell.forward(embedded, state, p["Wx"], p["Wh"], b)
            scores, _ = affine_forward(h, p["W_vocab"], p["b_vocab"])
            word = scores.argmax(axis=1)
            captions[speaking, t] = word[speaking]
            speaking &= word != end
            if not speaking.any():
                break
        return captions

    def _look(self, features: np.ndarray) -> tuple[State, np.ndarray, Any]:
        """First state, the cell's bias, and what the backward of the projection needs."""
        p, features = self.params, features.astype(self.dtype)
        empty = self.cell.empty_state(len(features), len(p["Wh"]), self.dtype)
        if self.every_step:
            b, cache = affine_forward(features, p["W_image"], p["b"])
            return empty, b, cache
        h0, cache = affine_forward(features, p["W_proj"], p["b_proj"])
        return (h0, *empty[1:]), p["b"], cache

    def _number(self, word: str) -> int:
        if word not in self.word_to_idx:
            raise DataError(f"The vocabulary of {len(self.word_to_idx)} words has no {word}. Add it.")
        return self.word_to_idx[word]

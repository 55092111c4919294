"""Every activation that works entry by entry, by name, with its usual settings.

Formula:
    name -> f, f'

Derivation:
    Maxout and CReLU are not here: one has weights of its own, the other doubles the channels. Where a parameter may
    be learnt it stays at its usual start: the slope of PReLU at 0.25, the sharpness of Swish at 1.

Source: CS231n notes, "Neural Networks Part 1"; the file of each entry names its paper.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.scratch.activations.elu import elu_backward, elu_forward
from pellucid.scratch.activations.gelu import gelu_backward, gelu_forward
from pellucid.scratch.activations.hard_sigmoid import hard_sigmoid_backward, hard_sigmoid_forward
from pellucid.scratch.activations.hard_swish import hard_swish_backward, hard_swish_forward
from pellucid.scratch.activations.leaky_relu import leaky_relu_backward, leaky_relu_forward
from pellucid.scratch.activations.prelu import prelu_backward, prelu_forward
from pellucid.scratch.activations.relu import relu_backward, relu_forward
from pellucid.scratch.activations.relu6 import relu6_backward, relu6_forward
from pellucid.scratch.activations.selu import selu_backward, selu_forward
from pellucid.scratch.activations.sigmoid import sigmoid_backward, sigmoid_forward
from pellucid.scratch.activations.swish import swish_backward, swish_forward
from pellucid.scratch.activations.tanh import tanh_backward, tanh_forward


@dataclass(frozen=True)
class Activation:
    """A function of one number, applied to each entry of an array.

    Attributes:
        forward: `(x) -> (out, cache)`, out of the shape of x.
        backward: `(dout, cache) -> dx`.
    """

    forward: Callable[[np.ndarray], tuple[np.ndarray, Any]]
    backward: Callable[[np.ndarray, Any], np.ndarray]


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(sigmoid_forward, sigmoid_backward),
    "tanh": Activation(tanh_forward, tanh_backward),
    "relu": Activation(relu_forward, relu_backward),
    "leaky_relu": Activation(leaky_relu_forward, leaky_relu_backward),
    "prelu": Activation(
        lambda x: prelu_forward(x, np.full(1, 0.25, x.dtype)), lambda dout, cache: prelu_backward(dout, cache)[0]
    ),
    "elu": Activation(elu_forward, elu_backward),
    "selu": Activation(selu_forward, selu_backward),
    "swish": Activation(swish_forward, lambda dout, cache: swish_backward(dout, cache)[0]),
    "relu6": Activation(relu6_forward, relu6_backward),
    "hard_sigmoid": Activation(hard_sigmoid_forward, hard_sigmoid_backward),
    "hard_swish": Activation(hard_swish_forward, hard_swish_backward),
    "gelu": Activation(gelu_forward, gelu_backward),
}

"""What an operation costs, and which weights it uses.

Counted is one multiply-add (MAC) a weight and output of convolutions, transposed convolutions, linear and recurrent
layers, and matrix products, those of attention included: the usual convention. Norms, activations, pools, resizing
and additions count nothing. Twice the MACs are the floating-point operations.
"""

from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor

from pellucid.nn.geometry.field import ATTENTION, aten

Role = Literal["convolution", "fully connected"]

PRODUCTS = {aten.mm: (0, 1), aten.bmm: (0, 1), aten.linear: (0, 1), aten.addmm: (1, 2), aten.baddbmm: (1, 2)}
RECURRENT = aten.mkldnn_rnn_layer  # as which an LSTM runs on CPUs; the others run as products


def macs(operation: Any, args: Sequence[Any], out: Tensor) -> int:
    """Multiply-adds of one operation.

    Args:
        operation: the aten operation, without its overload.
        args: its positional arguments.
        out: its first result.
    """
    if operation is aten.convolution:
        # each weight of a filter is used once for every output, or for every input where it is transposed
        return int((args[0] if args[6] else out).numel() * args[1][0].numel())
    if operation in PRODUCTS:
        return int(out.numel() * args[PRODUCTS[operation][0]].shape[-1])
    if operation in ATTENTION:
        q, k, v = args[:3]  # (..., L, E), (..., S, E), (..., S, V): L S E for the scores, L S V for the mean
        return int(q.numel() // q.shape[-1] * k.shape[-2] * (k.shape[-1] + v.shape[-1]))
    if operation is RECURRENT:
        steps = args[0].numel() // args[0].shape[-1]  # (T, N, I)
        return int(steps * (args[1].numel() + args[2].numel()))
    return 0


def weights_of(operation: Any, args: Sequence[Any]) -> tuple[Role, list[Tensor]] | None:
    """For a convolution or a matrix product, which of the two it is and what may be its weights and biases.

    Of a product both factors are given, the caller knows which of them comes from the picture.
    """
    if operation is aten.convolution:
        return "convolution", [part for part in args[1:3] if part is not None]
    if operation in PRODUCTS:
        return "fully connected", [part for part in args[:3] if isinstance(part, Tensor)]
    if operation is RECURRENT:
        return "fully connected", list(args[1:5])
    return None

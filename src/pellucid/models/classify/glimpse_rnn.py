"""A recurrent net that looks at a picture in a few glimpses, and learns where.

The window is that of DRAW (Gregor et al. 2015, https://arxiv.org/abs/1502.04623, section 3.2): a grid of n x n
Gaussian filters with a centre, a spacing and a width. All three are smooth functions of the state, so that looking
is learned by gradient, without sampling: the same picture gets the same glimpses. Learning where to look by reward
instead is Mnih et al. 2014 (https://arxiv.org/abs/1406.6247).

Letters: N pictures, C channels, H x W pixels, K classes, n x n cells of a glimpse, T glimpses, M units of the state.
"""

import torch
from torch import Tensor, nn

from pellucid.nn.initialise import initialise, start_small

SHARPEST = 0.5  # px: least deviation of a filter, below which pixels would fall between filters


class GlimpseRnn(nn.Module):
    """Look, update the state, decide where to look next; after the last glimpse, answer.

    The first glimpse takes in nearly all of the picture. Each later one sees what the state asks for. Where it
    looked goes into the state with what it saw.

    Args:
        n_classes: K.
        channels: C.
        glimpses: T.
        cells: n.
        units: M.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, glimpses: int = 6, cells: int = 8, units: int = 128) -> None:
        super().__init__()
        self.glimpses, self.cells = glimpses, cells
        self.where = nn.Linear(units, 4)  # centre down and across, size, blur
        self.what = nn.Linear(channels * cells * cells, units)
        self.relu = nn.ReLU()
        self.rnn = nn.GRUCell(units + 4, units)
        self.head = nn.Linear(units, n_classes)
        initialise(self, "fan_in")
        start_small(self.where, std=0.1)
        start_small(self.head)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W."""
        state = x.new_zeros(x.shape[0], self.rnn.hidden_size)  # (N, M)
        for _ in range(self.glimpses):
            place = self.places(state)  # (N, 4)
            seen = self.relu(self.what(look(x, place, self.cells).flatten(1)))  # (N, M)
            state = self.rnn(torch.cat([seen, place], dim=1), state)
        return self.head(state)  # (N, K)

    def places(self, state: Tensor) -> Tensor:
        """(N, M) states -> (N, 4) places to look at next, as `look` takes them."""
        centre, size, blur = self.where(state).split([2, 1, 1], dim=1)
        # a state of zeros looks at the middle, at 0.88 of each side
        return torch.cat([centre.tanh(), (size + 2).sigmoid(), blur.tanh()], dim=1)


def look(x: Tensor, place: Tensor, cells: int) -> Tensor:
    """A glimpse of each picture: n x n weighted means of pixels, equation 28 of the paper.

    Args:
        x: (N, C, H, W).
        place: (N, 4): centre down and across, -1 to 1 from border to border; size, the share of each side that
            the n filters span, 0 to 1; blur, from -1 to 1, the logarithm of a filter's deviation in half spacings.
        cells: n.

    Returns:
        (N, C, n, n).
    """
    down = filters(place[:, 0], place[:, 2], place[:, 3], x.shape[2], cells)  # (N, n, H)
    across = filters(place[:, 1], place[:, 2], place[:, 3], x.shape[3], cells)  # (N, n, W)
    return torch.einsum("nih,nchw,njw->ncij", down, x, across)


def filters(centre: Tensor, size: Tensor, blur: Tensor, side: int, cells: int) -> Tensor:
    """Gaussian filters in a row over a side of the picture, n of them, each of sum 1; equations 19 to 26 of the paper.

    Args:
        centre, size, blur: (N,), see `look`.
        side: pixels.
        cells: n.

    Returns:
        (N, n, side).
    """
    precise = torch.promote_types(centre.dtype, torch.float32)  # bfloat16 cannot tell pixel 300 from 301
    centre, size, blur = centre.to(precise), size.to(precise), blur.to(precise)
    pixels = torch.arange(side, device=centre.device, dtype=precise)
    offsets = torch.linspace(-0.5, 0.5, cells, device=centre.device, dtype=precise)  # in spans of the grid
    spacing = size * (side - 1) / max(cells - 1, 1)  # (N,), px
    middle = (centre[:, None] + 1) / 2 * (side - 1) + size[:, None] * (side - 1) * offsets  # (N, n), px
    deviation = torch.hypot(0.5 * spacing * blur.exp(), torch.full_like(spacing, SHARPEST))  # (N,), px
    steps = (pixels - middle[..., None]) / deviation[:, None, None]  # (N, n, side)
    return (-0.5 * steps.square()).softmax(-1)  # a Gaussian divided by its sum, also far outside of the picture


def glimpse_rnn(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """A recurrent net that looks at the picture in six glimpses of 8x8 cells and learns where; any size."""
    model = GlimpseRnn(n_classes, channels)
    model.notes = (f"{model.glimpses} glimpses of {model.cells}x{model.cells} cells, the first of nearly the whole",)
    return model

"""A recurrent net that reads a picture row by row: sequential processing of what is no sequence.

One gated recurrent unit (Cho et al. 2014, https://arxiv.org/abs/1406.1078) gets the rows from top to bottom, each
as one vector of all its pixels, and answers from its state after the last. As in Le, Jaitly, Hinton 2015, "A Simple
Way to Initialize Recurrent Networks of Rectified Linear Units" (https://arxiv.org/abs/1504.00941), which reads
pixel by pixel; a row at a time keeps the sequence as short as the picture is high.

Letters: N pictures, C channels, H rows of W pixels, K classes, M units of the state.
"""

from torch import Tensor, nn

from pellucid.core.shapes import require_shape
from pellucid.nn.initialise import start_small


class RowRnn(nn.Module):
    """Rows -> state -> logits.

    Recurrent weights start orthogonal, so that what was read first is not lost on the way down.

    Args:
        n_classes: K.
        channels: C.
        row: W, for rows of exactly this length; any number of rows.
        units: M.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, n_classes: int, channels: int, row: int, units: int = 128) -> None:
        super().__init__()
        self.shape = (channels, row)
        self.rnn = nn.GRU(channels * row, units, batch_first=True)
        self.head = nn.Linear(units, n_classes)
        gates: Tensor = self.rnn.get_parameter("weight_hh_l0")  # (3*M, M)
        for gate in gates.split(units):
            nn.init.orthogonal_(gate)
        start_small(self.head)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits.

        Raises:
            DataError: the rows have another length or number of channels than the network was built for.
        """
        channels, row = self.shape
        require_shape(x, "N C H W", "image", C=channels, W=row)
        rows = x.transpose(1, 2).flatten(2)  # (N, H, C*W)
        states, _ = self.rnn(rows)  # (N, H, M)
        return self.head(states[:, -1])  # (N, K)


def row_rnn(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """A recurrent net that reads the picture row by row; for rows of exactly the width in `image_size`."""
    model = RowRnn(n_classes, channels, image_size[1])
    model.notes = (f"{image_size[0]} rows of {image_size[1]} px are read one after another",)
    return model

"""A convolutional network for short training: its first layer is fixed, and made from the training pictures.

After "94% on CIFAR-10 in 3.29 Seconds on a Single GPU" (https://arxiv.org/abs/2404.00498): patch whitening, three
blocks that halve the picture, global max pooling. What differs: narrower; no bias in the first layer; ReLU, which
costs a CPU less than GELU; batch norm is torch's own. How fast it reaches 94 % is in `docs/time-to-accuracy.md`.

Whitening: of the k x k patches p of the pictures, centred, with covariance C = V diag(v) V', each filter is a row of
diag(v + eps)^-1/2 V'. Their answers have variance 1 and are uncorrelated, so that no direction of the pictures has to
wait for small weights to grow. Each filter is there with its negative, since the ReLU behind would lose half.

Letters: N pictures, C channels, H x W pixels, K classes, F filters, h x w cells of a feature map.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.models.classify.convnet import halving_block
from pellucid.models.classify.stem import require_size

FILTERS = 16  # at most; those of the largest variance come first, and small pictures have fewer (4 grey, 12 colour)
LEAST = 17  # px; of 16, one cell is left to the last batch norm, which of two pictures only says which has more
EPS = 5e-4  # of pixels standardised to variance 1; what varies less than this is noise


class FixedConv2d(nn.Conv2d):
    """A convolution that is not trained: its filters are a buffer, and travel in the state_dict."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__(c_in, c_out, kernel, stride, bias=False)
        weight = self.weight.detach()
        del self.weight
        self.register_buffer("weight", weight)


class WhitenedConvNet(nn.Module):
    """Fixed whitening, blocks that halve the picture, global max pooling, a linear layer without bias.

    Args:
        n_classes: K.
        channels: C.
        kernel: side of the whitened patches; their stride is half of it, and never below 1.
        widths: feature maps of the blocks.
        logit_divisor: the logits are divided by this; 9 keeps them small, so that the first loss is ln K.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self,
        n_classes: int,
        channels: int,
        kernel: int = 2,
        widths: tuple[int, ...] = (48, 128, 192),
        logit_divisor: float = 9.0,
    ) -> None:
        super().__init__()
        n_filters = min(channels * kernel**2, FILTERS)
        self.whitening = FixedConv2d(channels, 2 * n_filters, kernel, kernel // 2)
        start = nn.init.orthogonal_(torch.empty(n_filters, channels * kernel**2))  # until it has looked at pictures
        self._set_filters(start)
        sizes = (2 * n_filters, *widths)
        self.blocks = nn.Sequential(*(halving_block(c, d) for c, d in zip(sizes, widths, strict=False)))
        self.head = nn.Linear(sizes[-1], n_classes, bias=False)
        self.logit_divisor = logit_divisor

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K) logits; any H and W that leave a cell after the blocks."""
        x = self.whitening(x).relu()  # (N, 2F, H - 1, W - 1) with the usual kernel of 2
        x = self.blocks(x)  # (N, 192, h, w), each block halves both sides
        x = x.amax((2, 3))  # (N, 192)
        return self.head(x) / self.logit_divisor  # (N, K)

    @torch.no_grad()
    def look(self, pictures: Tensor) -> None:
        """Set the first layer from a sample (N, C, H, W) of the training pictures, standardised as for `forward`."""
        kernel = self.whitening.kernel_size[0]
        self._set_filters(whitening_filters(pictures, kernel, self.whitening.out_channels // 2))

    @torch.no_grad()
    def _set_filters(self, filters: Tensor) -> None:
        """Rows of patches, (F, C*k*k)."""
        weight = self.whitening.weight  # (2F, C, k, k)
        weight.copy_(torch.cat([filters, -filters]).view(weight.shape))


def whitening_filters(pictures: Tensor, kernel: int, n_filters: int, eps: float = EPS) -> Tensor:
    """Filters whose answers over all patches of the pictures are uncorrelated and of variance 1.

    Args:
        pictures: (N, C, H, W) float.
        kernel: side of a patch.
        n_filters: how many, those of the largest variance first.
        eps: added to each variance before dividing by it, so that noise is not made as loud as the picture.

    Returns:
        (n_filters, C*kernel*kernel). Of v and -v, between which nothing decides, the one whose sum is not negative.
    """
    patches = F.unfold(pictures.double(), kernel).transpose(1, 2).flatten(0, 1)  # (N*h*w, C*k*k)
    values, vectors = torch.linalg.eigh(torch.cov(patches.T, correction=0))  # ascending
    values, vectors = values.flip(0)[:n_filters], vectors.flip(1)[:, :n_filters].T  # (F,), (F, C*k*k)
    signs = torch.where(vectors.sum(1, keepdim=True) < 0, -1.0, 1.0)
    return (signs * vectors / (values.clamp(min=0) + eps).sqrt()[:, None]).to(pictures.dtype)


def whitened_convnet(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """A small convolutional network whose first layer is made from the training pictures, for short training.

    The whitened patches are 2 px wide up to 64 px, 4 px in steps of 2 above, 8 px in steps of 4 above 128 px;
    `notes` says so.

    Raises:
        ConfigError: a side is below 17 px.
    """
    require_size("whitened_convnet", image_size, LEAST, instead="convnet")
    short = min(image_size)
    kernel = 2 if short <= 64 else 4 if short <= 128 else 8
    model = WhitenedConvNet(n_classes, channels, kernel)
    if kernel > 2:
        model.notes = (f"patches of {kernel} px in steps of {kernel // 2} because the short side is {short} px",)
    return model

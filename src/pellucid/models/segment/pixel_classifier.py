"""A classifier of windows, one around each pixel: segmentation as it was before networks were fully convolutional.

Cireşan et al. 2012 (NIPS), "Deep Neural Networks Segment Neuronal Membranes in Electron Microscopy Images", slid a
classifier over every pixel. Neighbouring windows share nearly all they show, and all is computed anew each time.
Turned into convolutions (Long et al. 2015, https://arxiv.org/abs/1411.4038, section 3.1) the same weights give the
same answers in one pass, in which what windows share is computed once.

Same to the last pixel, borders too, because both forms see the same: the picture is laid on zeros, the mean of
standardised pixels, half a window wide on each side, once, and no layer pads. With padded layers a window would see
zeros at its own border, where the whole picture has pixels; with strides there would be no answer for most pixels.

Letters: N pictures, C channels, H x W pixels, K classes, S the side of a window, M feature maps.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.core.config import require
from pellucid.nn.convert.fc_as_conv import fully_convolutional
from pellucid.nn.initialise import initialise, start_small

WINDOW = 21  # S, in pixels
CHUNK = 4096  # windows that are classified at once


class WindowNet(nn.Module):
    """Which class has the pixel in the middle of a window? Four convolutions without padding, two linear layers.

    The kernels' rates of 1, 2, 2 and 4 see as far as poolings between them would, and leave one answer a pixel.

    Args:
        n_classes: K.
        channels: C.
        width: M.

    Attributes:
        window: S, the side that the layers are made for.
    """

    notes: tuple[str, ...] = ()
    window = WINDOW

    def __init__(self, n_classes: int, channels: int, width: int = 16) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(channels, width, 3), nn.ReLU()),  # (N, M, 19, 19)
            *(nn.Conv2d(width, width, 3, dilation=2), nn.ReLU()),  # (N, M, 15, 15)
            *(nn.Conv2d(width, width, 3, dilation=2), nn.ReLU()),  # (N, M, 11, 11)
            *(nn.Conv2d(width, 2 * width, 3, dilation=4), nn.ReLU()),  # (N, 2M, 3, 3)
        )
        last = nn.Linear(4 * width, n_classes)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(2 * width * 9, 4 * width), nn.ReLU(), last)
        initialise(self, "fan_in")
        start_small(last)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, S, S) windows -> (N, K) logits of the pixels in their middles."""
        return self.classifier(self.features(x))


class PixelClassifier(nn.Module):
    """A classifier of windows as a network of whole pictures; it takes the weights along, by value.

    Args:
        net: the classifier of windows.
        channels: C.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, net: WindowNet, channels: int) -> None:
        super().__init__()
        self.window = net.window
        self.dense = fully_convolutional(net, (net.window, net.window), channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) standardised pixels -> (N, K, H, W) logits; any H and W."""
        return self.dense(on_zeros(x, self.window))


def on_zeros(x: Tensor, window: int) -> Tensor:
    """(N, C, H, W) -> (N, C, H + S - 1, W + S - 1): a frame of zeros that lets a window stand on every pixel.

    Raises:
        ConfigError: the window's side S is even and has no middle.
    """
    require(window % 2 == 1, "window", "odd, to have a pixel in its middle", window)
    return F.pad(x, [window // 2] * 4)


def sliding_window(net: nn.Module, x: Tensor, window: int = WINDOW, chunk: int = CHUNK) -> Tensor:
    """Classify the window around every pixel, each by itself: (N, C, H, W) -> (N, K, H, W) logits, no gradients.

    Args:
        net: (B, C, S, S) windows -> (B, K).
        x: standardised pixels.
        window: S.
        chunk: how many windows are cut out and classified at a time.

    Raises:
        ConfigError: the window's side is even, or the chunk is below 1.
    """
    require(chunk >= 1, "chunk", "1 or more", chunk)
    n, channels, height, width = x.shape
    views = on_zeros(x, window).unfold(2, window, 1).unfold(3, window, 1)  # (N, C, H, W, S, S), nothing copied
    with torch.no_grad():
        answers = [net(x.new_zeros(0, channels, window, window))]  # (0, K), so that no picture has an answer, too
        for picture in views.permute(0, 2, 3, 1, 4, 5):  # (H, W, C, S, S)
            for rows in picture.split(max(1, chunk // width)):
                answers += [net(part) for part in rows.flatten(0, 1).split(chunk)]
    return torch.cat(answers).unflatten(0, (n, height, width)).permute(0, 3, 1, 2)  # (N, K, H, W)


def pixel_classifier(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """A small classifier of windows of 21 px, slid over the picture as convolutions; the same for every size."""
    return PixelClassifier(WindowNet(n_classes, channels), channels)

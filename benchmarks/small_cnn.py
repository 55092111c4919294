"""A network that both the benchmark of steps and that of threads use."""

from torch import nn


def small_cnn(n_classes: int, channels: int, image_size: tuple[int, int]) -> nn.Module:
    """The network most people write first: two times convolution, norm, ReLU and pooling, then two linear layers."""
    h, w = image_size
    parts: list[nn.Module] = []
    for before, after in ((channels, 32), (32, 64)):
        parts += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)]
    head = [nn.Flatten(), nn.Linear(64 * (h // 4) * (w // 4), 128), nn.ReLU(), nn.Linear(128, n_classes)]
    return nn.Sequential(*parts, *head)

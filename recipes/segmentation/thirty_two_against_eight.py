"""An FCN that answers at stride 32 cannot draw a line; with the finer maps of FCN-8s it can.

FCN-32s scores the coarsest map and stretches the scores by 32. Between two answers lie 32 pixels, so what is thinner is
drawn as a blob, or not at all. FCN-16s adds scores of the map at stride 16, FCN-8s those at stride 8 as well, and
only the last step is stretched. The same backbone, the same pictures in the same order, the same number of steps:
what differs is two 1x1 convolutions, and the transposed ones that bring the scores together.

On generated pictures of 128 x 128 pixels with bars, three to six pixels thin and at least six times as long, and with
discs of 12 to 28 pixels; 300 steps with a ResNet-18 from scratch. FCN-32s finds next to nothing of the bars and the
largest discs only, whose IoU is lost at their outlines. Each finer map helps both, and bars the most. The finest has
its limit too: eight pixels are still more than a bar is wide, so that FCN-8s draws it broken.

    python recipes/segmentation/thirty_two_against_eight.py  # 5 minutes
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.metrics.segmentation import confusion, iou
from pellucid.models.segment.fcn import fcn8s, fcn16s, fcn32s
from pellucid.plots import svg
from pellucid.plots.palette import palette
from pellucid.report.embed import data_uri

SIDE, BATCH, STEPS, TEST, RATE, BACKBONE = 128, 8, 300, 100, 2e-3, "resnet18"
NETS = {"FCN-32s": fcn32s, "FCN-16s": fcn16s, "FCN-8s": fcn8s}
CLASSES = ("background", "bars", "discs")
SHOWN = 3


def picture(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(3, H, W) of deviation about 1, and (H, W) classes: two bars and two discs, each of a colour, on soft noise."""
    down, right = np.mgrid[:SIDE, :SIDE] + 0.5
    coarse = torch.from_numpy(rng.normal(size=(1, 3, 8, 8))).float()
    image = F.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear")[0].numpy()
    mask = np.zeros((SIDE, SIDE), dtype=np.int64)
    for k in rng.permutation([1, 1, 2, 2]):
        y, x, angle = rng.uniform((20, 20, 0), (SIDE - 20, SIDE - 20, np.pi))
        along, across = (
            (right - x) * np.cos(angle) + (down - y) * np.sin(angle),
            (down - y) * np.cos(angle) - (right - x) * np.sin(angle),
        )
        if k == 1:
            inside = (np.abs(across) <= rng.uniform(1.5, 3)) & (np.abs(along) <= rng.uniform(18, 40))
        else:
            inside = across**2 + along**2 <= rng.uniform(6, 14) ** 2
        image[:, inside], mask[inside] = rng.normal(0, 1.5, 3)[:, None], k
    return (image + 0.2 * rng.normal(size=image.shape)).astype(np.float32), mask


def pictures(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """(N, 3, H, W) and (N, H, W)."""
    rng = np.random.default_rng(seed)
    made = [picture(rng) for _ in range(n)]
    return tuple(torch.from_numpy(np.stack(part)) for part in zip(*made, strict=True))  # type: ignore[return-value]


def trained(name: str, data: tuple[Tensor, Tensor]) -> nn.Module:
    """The network after `STEPS` steps, each on new pictures."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = NETS[name](len(CLASSES), 3, (SIDE, SIDE), backbone=BACKBONE).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, STEPS, pct_start=0.1)
    for x, y in zip(*(part.split(BATCH) for part in data), strict=True):
        optimiser.zero_grad()
        F.cross_entropy(net(x.contiguous(memory_format=torch.channels_last)), y).backward()
        optimiser.step()
        schedule.step()
    return net.eval()


def answers(net: nn.Module, x: Tensor) -> Tensor:
    """(N, H, W) classes."""
    with torch.no_grad():
        return torch.cat([net(part).argmax(1) for part in x.split(25)])


def drawn(columns: dict[str, Tensor]) -> str:
    """A row a picture: the truth, and what the networks say."""
    colours = np.vstack([np.full((1, 3), 235, dtype=np.uint8), palette(len(CLASSES) - 1)])
    parts = [svg.text(0, 18, "Thin bars and discs, and what is found of them", "title")]
    for k, (name, masks) in enumerate(columns.items()):
        parts.append(svg.text(121 * k, 44, name, "soft"))
        for row, mask in enumerate(masks):
            image = Image.fromarray(colours[mask.numpy()])
            place = (121 * k, 52 + 120 * row, 116, 116)
            parts.append(svg.image(*place, data_uri(image, exact=True), f"{name}, picture {row + 1}"))
    label = "Bars and discs; the finer the maps that are scored, the more of the bars is drawn."
    return svg.document(480, 52 + 120 * SHOWN, label, parts)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """IoU of each class on new pictures."""
    data, (x, y) = pictures(STEPS * BATCH, 0), pictures(TEST, 1)
    rows, columns = [], {"truth": y[:SHOWN]}
    for name in NETS:
        said = answers(trained(name, data), x)
        columns[name] = said[:SHOWN]
        found = iou(confusion(said, y, len(CLASSES)).sum(0)).tolist()
        rows.append([name, *(f"{each:.3f}" for each in found)])
    return ["IoU of", *CLASSES], rows, drawn(columns)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(14) for cell in row))

"""Without its skips a U-Net still finds things, and loses their outlines.

The coarsest map of a U-Net knows what is there, in cells of 16 pixels. What was where inside of a cell it would have to
remember in its 160 numbers. The skips make that unnecessary: at each step up the map of the same size from the way
down is laid beside, and only has to be told what it shows. Cut them, leave all else as it is (the convolutions keep
their widths, as what comes from below is made wider), train the same way on the same pictures in the same order: it is
the outlines that suffer most.

Trained is on generated scenes of 64 x 64 pixels, thing or background. Besides the mean intersection over union of both
the table has the F1 of outlines, to the pixel, and the error among pixels within two of a true border and of all
others. Means over the seeds, with the least and the largest.

    python recipes/segmentation/skips_matter.py  # 4 minutes
"""

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from pellucid.data.scenes import scenes
from pellucid.metrics.borders import border_errors, boundary_counts, mean_boundary_f1
from pellucid.metrics.segmentation import confusion, mean_iou
from pellucid.models.segment.unet import unet, unet_plain
from pellucid.plots import svg
from pellucid.report.embed import data_uri

SIDE, TRAIN, TEST, BATCH, STEPS, RATE, SEEDS = 64, 2000, 200, 16, 500, 2e-3, 2
NETS = {"U-Net": unet, "without skips": unet_plain}
SHOWN = 3  # of the test scenes, in the picture


def pictures() -> tuple[Tensor, ...]:
    """Training and test scenes: (N, 3, H, W) standardised, and (N, H, W) with 1 where there is a thing."""
    source = scenes(train=TRAIN, val=0, test=TEST, size=SIDE, difficulty="medium")
    x = torch.from_numpy(np.asarray(source.images)).permute(0, 3, 1, 2).float()
    y = (torch.from_numpy(np.asarray(source.masks)) > 0).long()
    x = (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True)
    return x[:TRAIN], y[:TRAIN], x[TRAIN:], y[TRAIN:]


def trained(name: str, data: tuple[Tensor, ...], seed: int) -> nn.Module:
    """The network after its training; rows and mirrorings are the same for every network of a seed."""
    x, y = data[:2]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = NETS[name](2, 3, (SIDE, SIDE)).to(memory_format=torch.channels_last)
    chance = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, STEPS, pct_start=0.1)
    for _ in range(STEPS):
        rows = torch.randint(len(x), (BATCH,), generator=chance)
        mirror = [3] if torch.rand(1, generator=chance) < 0.5 else []
        optimiser.zero_grad()
        batch = x[rows].flip(mirror).contiguous(memory_format=torch.channels_last)
        F.cross_entropy(net(batch), y[rows].flip([axis - 1 for axis in mirror])).backward()
        optimiser.step()
        schedule.step()
    return net.eval()


def answers(net: nn.Module, x: Tensor) -> Tensor:
    """(N, H, W) classes."""
    with torch.no_grad():
        return torch.cat([net(part).argmax(1) for part in x.split(50)])


def scores(said: Tensor, y: Tensor) -> list[float]:
    """Mean IoU, F1 of outlines with a tolerance of one pixel, error near borders and error elsewhere."""
    counted, wrong = border_errors(said, y).sum(0).double().unbind(1)
    errors = (wrong / counted).tolist()
    outlines = mean_boundary_f1(boundary_counts(said, y, 2, tolerance=1.0))
    return [mean_iou(confusion(said, y, 2).sum(0)), outlines, *errors]


def drawn(x: Tensor, columns: dict[str, Tensor]) -> str:
    """A row a scene: the picture, the truth, and what the networks say."""
    parts = [svg.text(0, 18, "What is a thing? Said with skips and without", "title")]
    for row in range(len(x)):
        top = 52 + 120 * row
        pixels = x[row].permute(1, 2, 0)
        pixels = ((pixels - pixels.min()) / (pixels.max() - pixels.min()) * 255).byte().numpy()
        shown = {"scene": pixels, **{name: (255 * each[row]).byte().numpy() for name, each in columns.items()}}
        for k, (name, each) in enumerate(shown.items()):
            if row == 0:
                parts.append(svg.text(121 * k, 44, name, "soft"))
            image = Image.fromarray(each).resize((SIDE * 2, SIDE * 2), Image.Resampling.NEAREST)
            parts.append(svg.image(121 * k, top, 116, 116, data_uri(image, exact=True), f"{name}, scene {row + 1}"))
    label = "Scenes, their things, and what is found with skips and without: outlines are blurred without."
    return svg.document(480, 52 + 120 * len(x), label, parts)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Scores of both on new scenes, and three of the scenes."""
    data = pictures()
    x, y = data[2:]
    rows, columns = [], {"truth": y[:SHOWN]}
    for name in NETS:
        said = [answers(trained(name, data, seed), x) for seed in range(SEEDS)]
        found = np.array([scores(each, y) for each in said])  # (seeds, 4)
        columns[name] = said[0][:SHOWN]
        rows.append([name, *(f"{each.mean():.3f} ({each.min():.3f} to {each.max():.3f})" for each in found.T)])
    header = ["", "mean IoU", "F1 of outlines", "error near borders", "error elsewhere"]
    return header, rows, drawn(x[:SHOWN], columns)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(24) for cell in row))

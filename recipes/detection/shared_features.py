"""Fast R-CNN is faster than R-CNN, because its network looks at the picture once and not at every region.

R-CNN cuts out each proposed region, warps it to 64 x 64 pixels and runs the network on it. Regions overlap: of 2,000
nearly 200 read the same pixel. Fast R-CNN runs the same network over the picture once, and pools what each region needs
from its maps; a region then costs a pooling and two small layers.

Both have one network with one set of weights, one picture of 256 x 256 pixels and the same boxes of Selective Search,
whose time is not counted. The clock (CPU time of one thread) agrees with the multiply-adds: the more regions and the
larger the network, the more is saved, with RoI Pool, which Fast R-CNN was published with, as with RoI Align. Pooling is
compiled here (`pip install pellucid[speed]`); in plain torch RoI Pool takes several times as long.

Sharing changes no number: given its regions one by one, Fast R-CNN says of each what it says of all together. And a map
of the picture is that of a crop, if it is not warped and as long as no layer saw beyond it: of 64 pixels cut out, 88%
of the cells of `convnet` agree at stride 4, a quarter at stride 8, and none at 16 and 32. There, what lies around a
region counts for Fast R-CNN, and for R-CNN zeros do.

    python recipes/detection/shared_features.py  # a minute
"""

import time

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pellucid.classic.proposals.selective_search import selective_search
from pellucid.data.scenes import Scene, stream
from pellucid.models.backbones import backbone as zoo_backbone
from pellucid.models.detect.fast_rcnn import fast_rcnn, fast_rcnn_align
from pellucid.models.detect.rcnn import AROUND, RCNN
from pellucid.plots import svg
from pellucid.plots.matrix import heat_map
from pellucid.report.embed import data_uri

SIDE, CLASSES, SHOWN, PANEL = 256, 10, 25, 156
CASES = (*(("resnet18", n) for n in (50, 200, 1000, 2000)), ("vgg16", 200), ("convnet", 2000))


def scene_and_regions(size: int, most: int) -> tuple[Scene, Tensor, Tensor]:
    """A scene, its pixels (1, 3, H, W) and (1, R, 4) boxes that may hold its things, the likeliest first."""
    scene = next(stream(size, "hard", "fashion", "test", start=3))
    image = np.moveaxis(scene.image, 2, 0)
    boxes = selective_search(image, "fast", most=most, least=5)
    return scene, torch.tensor(image)[None] / 128 - 1, torch.from_numpy(boxes)[None]


def detectors(network: str, size: int) -> dict[str, nn.Module]:
    """R-CNN and Fast R-CNN with RoI Pool and with RoI Align, around one network with one set of weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        slow = RCNN(CLASSES, zoo_backbone(network, 3, (size, size)))
        fast, align = (build(CLASSES, 3, (size, size), network) for build in (fast_rcnn, fast_rcnn_align))
    fast.get_submodule("backbone.body").load_state_dict(slow.backbone.state_dict())
    align.load_state_dict(fast.state_dict())
    return {"R-CNN": slow.eval(), "RoI Pool": fast.eval(), "RoI Align": align.eval()}


def counted(net: nn.Module, x: Tensor, regions: Tensor) -> tuple[int, int]:
    """How many pictures or cut regions the network looks at, and multiply-adds of all layers."""
    seen: list[int] = []
    handle = net.get_submodule("backbone").register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(x, None, regions)
    handle.remove()
    return sum(seen), counter.get_total_flops() // 2


def timed(net: nn.Module, x: Tensor, regions: Tensor) -> float:
    """CPU seconds of one thread."""
    with torch.no_grad():
        net(x, None, regions[:, :1])  # the first call of a kernel prepares it
        began = time.process_time()
        net(x, None, regions)
    return time.process_time() - began


def one_by_one(net: nn.Module, x: Tensor, regions: Tensor) -> float:
    """The largest difference of a score when regions are given one at a time, over how far scores spread."""
    with torch.no_grad():
        together = net(x, None, regions)["proposal_logits"]
        each = [net(x, None, region[:, None])["proposal_logits"] for region in regions.unbind(1)]
    return float((torch.cat(each, 1) - together).abs().max() / together.std())


def same_inside(net: nn.Module, x: Tensor, side: int = 64) -> dict[int, float]:
    """Stride of a network's map -> share of a crop's cells that hold what the picture's do, up to rounding."""
    at, shares = x.shape[-1] // 2 - side // 2, {}
    with torch.no_grad():
        whole, crop = net(x), net(x[..., at : at + side, at : at + side])
    for name, stride in net.strides.items():
        there = slice(at // stride, (at + side) // stride)
        wrong = (whole[name][..., there, there] - crop[name]).abs().amax((0, 1))
        shares[stride] = float((wrong < 1e-4 * whole[name].std()).float().mean())
    return shares


def reads(regions: Tensor, size: int) -> np.ndarray:
    """(H, W): by how many of the windows that R-CNN cuts out each pixel is read."""
    times = np.zeros((size, size), dtype=np.int64)
    for x1, y1, x2, y2 in regions[0].tolist():
        dx, dy = (AROUND - 1) * (x2 - x1) / 2, (AROUND - 1) * (y2 - y1) / 2
        times[max(0, int(y1 - dy)) : int(y2 + dy) + 1, max(0, int(x1 - dx)) : int(x2 + dx) + 1] += 1
    return times


def picture(scene: Scene, regions: Tensor) -> str:
    """The scene, and how often its pixels are read by both."""
    times = reads(regions, scene.image.shape[0])
    drawn = Image.fromarray(scene.image)
    for box in regions[0, :SHOWN].tolist():
        ImageDraw.Draw(drawn).rectangle(box, outline="white")
    parts = [svg.text(0, 18, f"{regions.shape[1]:,} regions: how often the network reads a pixel", "title")]
    shown = {
        f"{SHOWN} of the regions": drawn,
        f"R-CNN: up to {times.max():,} times": heat_map(times / times.max(), diagonal=False),
        "Fast R-CNN: once": heat_map(np.ones_like(times) / times.max(), diagonal=False),
    }
    for k, (name, image) in enumerate(shown.items()):
        parts.append(svg.text(162 * k, 44, name, "soft"))
        parts.append(svg.image(162 * k, 52, PANEL, PANEL, data_uri(image, exact=image is not drawn), name))
    return svg.document(480, 214, "A scene with regions, and how often each pixel is read by both.", parts)


def experiment() -> tuple[list[str], list[list[str]], str]:
    """Both detectors on the same picture and regions."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        scene, x, regions = scene_and_regions(SIDE, max(n for _, n in CASES))
        rows = []
        for network, n in CASES:
            nets, some = detectors(network, SIDE), regions[:, :n]
            looks, macs = zip(*(counted(nets[name], x, some) for name in ("R-CNN", "RoI Pool")), strict=True)
            cells = [f"{looks[0]:,} / {looks[1]}", *(f"{each / 1e9:.1f} G" for each in macs)]
            cells += [f"{timed(net, x, some):.2f} s" for net in nets.values()]
            rows.append([f"{network}, {some.shape[1]:,}", *cells])
    finally:
        torch.set_num_threads(threads)
    header = ["network, regions", "looks, R-CNN / Fast", "multiply-adds, R-CNN", "of Fast", "R-CNN takes"]
    return [*header, "Fast, RoI Pool", "Fast, RoI Align"], rows, picture(scene, regions)


if __name__ == "__main__":
    header, rows, _ = experiment()
    for row in [header, *rows]:
        print("  ".join(cell.rjust(22) for cell in row))

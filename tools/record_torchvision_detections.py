"""Let torchvision's own code detect, and keep what it finds: the numbers `tests/models/detect` compares ours with.

    python tools/record_torchvision_detections.py FOLDER

FOLDER holds torchvision's Python files (`pip download --no-deps torchvision==0.28.0`, unpacked): they need not be
installed, and the compiled operations are written anew below, from their definitions and without speed. Weights
and pictures follow from names and sizes by plain arithmetic, so nothing large is kept: `tests` fill our networks with
the same numbers. Only those cases are of use whose things do not hang on the last digits: each is run twice, with
weights that differ by a millionth, and refused if the things differ.
"""

import argparse
import json
import math
import re
import sys
import zlib
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

OUT = Path(__file__).parents[1] / "tests" / "models" / "detect" / "torchvision_detections.json"
PERSON_ONLY = "keypointrcnn_resnet50_fpn"
RULE = {"min_size": 160, "max_size": 224}  # instead of 800 and 1333, so that a test takes a second
# case -> network, height and width of the picture, resize rule ({}: that of the published weights)
CASES: dict[str, tuple[str, tuple[int, int], dict[str, int]]] = {
    "faster": ("fasterrcnn_resnet50_fpn", (75, 100), RULE),
    "faster, shrunk": ("fasterrcnn_resnet50_fpn", (333, 250), RULE),
    "faster, long": ("fasterrcnn_resnet50_fpn", (60, 211), RULE),
    "faster, full size": ("fasterrcnn_resnet50_fpn", (375, 500), {}),
    "mask": ("maskrcnn_resnet50_fpn", (120, 90), RULE),
    "keypoint": ("keypointrcnn_resnet50_fpn", (90, 120), RULE),
    "retinanet": ("retinanet_resnet50_fpn", (75, 100), RULE),
    "retinanet, long": ("retinanet_resnet50_fpn", (211, 60), RULE),
    "retinanet, full size": ("retinanet_resnet50_fpn", (375, 500), {}),
    "ssd": ("ssd300_vgg16", (120, 200), {}),
}
# end of a tensor's name -> what its numbers are multiplied by and what is added, so that some things are sure enough
SCALES: dict[str, tuple[float, float]] = {
    "bn3.weight": (0.4, 0.0),
    "cls_score.weight": (0.6, 0.0),
    "bbox_pred.weight": (0.3, 0.0),
    "classification_head.cls_logits.weight": (0.4, 0.0),
    "classification_head.cls_logits.bias": (1.0, -4.0),
    "regression_head.bbox_reg.weight": (0.1, 0.0),
    "mask_fcn_logits.weight": (3.0, 0.0),
    "kps_score_lowres.weight": (3.0, 0.0),
    "backbone.features.0.weight": (0.02, 0.0),  # SSD's pixels are counted from -123 to 151
    "backbone.scale_weight": (10.0, 0.0),
}
FEWEST, MOST = 8, 40  # things that are kept of a case, cut where the scores have the widest gap


def spread(n: int, phase: float) -> Tensor:
    """`n` numbers in [-1, 1), by additions and products only: the same on every machine."""
    i = torch.arange(n, dtype=torch.float64)
    return torch.frac((0.6180339887498949 * i + phase) * (1 + torch.frac(0.7548776662466927 * i))) * 2 - 1


@torch.no_grad()
def fill(net: nn.Module) -> None:
    """Give every tensor numbers that follow from its name, of a size that lets the signal pass."""
    for name, tensor in net.state_dict().items():
        u = spread(tensor.numel(), zlib.crc32(name.encode()) / 2**32).view(tensor.shape)
        if name.endswith("running_var"):
            u = 1 + 0.5 * u
        elif name.endswith("running_mean"):
            u = 0.1 * u
        elif tensor.dim() > 1:
            u = u * math.sqrt(6 / tensor[0].numel())
        else:
            u = 0.7 + 0.2 * u if name.endswith("weight") else 0.1 * u
        scale, added = next((each for end, each in SCALES.items() if name.endswith(end)), (1.0, 0.0))
        tensor.copy_((u * scale + added).to(tensor.dtype))


def picture(height: int, width: int) -> Tensor:
    """(3, H, W) uint8: blocks of colour with fine noise on them."""
    blocks = spread(3 * 7 * 9, 0.25).view(1, 3, 7, 9).float()
    fine = spread(3 * height * width, 0.75).view(3, height, width).float()
    large = F.interpolate(blocks, (height, width), mode="nearest-exact")[0]
    return (127.5 + 90 * large + 30 * fine).clamp(0, 255).to(torch.uint8)


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Indices of the boxes that no surer one overlaps by more than the threshold; the surest first."""
    x1, y1, x2, y2 = boxes.unbind(1)
    area = (x2 - x1) * (y2 - y1)
    left = scores.argsort(descending=True, stable=True)
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        w = (torch.minimum(x2[left], x2[best]) - torch.maximum(x1[left], x1[best])).clamp(min=0)
        h = (torch.minimum(y2[left], y2[best]) - torch.maximum(y1[left], y1[best])).clamp(min=0)
        shared = w * h
        left = left[shared / (area[left] + area[best] - shared) <= iou_threshold]
    return torch.tensor(kept, dtype=torch.int64)


def roi_align(
    features: Tensor,
    boxes: Tensor,
    output_size: Any,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """The mean of bilinear samples in each cell of each region (He et al. 2017); `boxes` are (R, 5), picture first."""
    high, wide = (output_size, output_size) if isinstance(output_size, int) else output_size
    taps = sampling_ratio  # every detector here says it
    offset = 0.5 if aligned else 0.0
    pooled = []
    for index, *corners in boxes.tolist():
        x1, y1, x2, y2 = (torch.tensor(c, dtype=torch.float32) * spatial_scale - offset for c in corners)
        w, h = (x2 - x1, y2 - y1) if aligned else ((x2 - x1).clamp(min=1), (y2 - y1).clamp(min=1))
        ys = y1 + (torch.arange(high * taps) + 0.5) * (h / high / taps)
        xs = x1 + (torch.arange(wide * taps) + 0.5) * (w / wide / taps)
        pooled.append(F.avg_pool2d(_bilinear(features[int(index)], ys, xs)[None], taps)[0])
    return torch.stack(pooled) if pooled else features.new_zeros(0, features.shape[1], high, wide)


def _bilinear(image: Tensor, ys: Tensor, xs: Tensor) -> Tensor:
    """(C, h, w) at all pairs of ys and xs: 0 more than a pixel outside, else as at the edge."""

    def ends(at: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        inside = (at >= -1) & (at <= size)
        at = at.clamp(min=0)
        low = at.long().clamp(max=size - 1)
        share = torch.where(low == size - 1, torch.zeros_like(at), at - low)
        return low, (low + 1).clamp(max=size - 1), share, inside.to(at.dtype)

    y0, y1, v, in_y = ends(ys, image.shape[1])
    x0, x1, u, in_x = ends(xs, image.shape[2])
    rows = image[:, y0] * (1 - v)[:, None] + image[:, y1] * v[:, None]
    return (rows[..., x0] * (1 - u) + rows[..., x1] * u) * in_y[:, None] * in_x


def load_library(folder: Path) -> Any:
    """`torchvision.models.detection` from its Python files, on the operations above."""
    names = torch.library.Library("torchvision", "DEF")
    names.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    names.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    sys.path.insert(0, str(folder))
    version = import_module("torchvision").__version__
    detection: Any = import_module("torchvision.models.detection")
    boxes: Any = import_module("torchvision.ops.boxes")
    poolers: Any = import_module("torchvision.ops.poolers")
    if version.split("+")[0] != "0.28.0":
        raise SystemExit(f"The numbers are of torchvision 0.28.0, got {version}.")
    for module, name, own in ((boxes, "nms", nms), (poolers, "roi_align", roi_align)):
        if not hasattr(module, name):
            raise SystemExit(f"torchvision's {module.__name__} has no {name} any more.")
        setattr(module, name, own)
    boxes.batched_nms = boxes._batched_nms_vanilla
    boxes._assert_has_ops = lambda: None
    detection.keep = names  # what is defined ends with its library
    return detection


def build(detection: Any, network: str, rule: dict[str, int]) -> nn.Module:
    """The network as it is with published weights: frozen norms without an addend."""
    made: nn.Module
    if network == "ssd300_vgg16":
        made = detection.ssd300_vgg16(weights=None, weights_backbone=None)
        return made
    models, ops = import_module("torchvision.models"), import_module("torchvision.ops")
    pyramid = import_module("torchvision.models.detection.backbone_utils")._resnet_fpn_extractor
    coarser = import_module("torchvision.ops.feature_pyramid_network").LastLevelP6P7(256, 256)
    body = models.resnet50(norm_layer=ops.FrozenBatchNorm2d)
    if network == "retinanet_resnet50_fpn":
        on = pyramid(body, 3, returned_layers=[2, 3, 4], extra_blocks=coarser)
        made = detection.RetinaNet(on, 91, **rule)
    else:
        on = pyramid(body, 3)
        kinds = {"fasterrcnn": detection.FasterRCNN, "maskrcnn": detection.MaskRCNN}
        of = kinds.get(network.partition("_")[0], detection.KeypointRCNN)
        made = of(on, 2 if network == PERSON_ONLY else 91, **rule)
    import_module("torchvision.models.detection._utils").overwrite_eps(made, 0.0)
    return made


@torch.no_grad()
def detect(net: nn.Module, image: Tensor) -> dict[str, Tensor]:
    """What the library answers, and `grids`: masks before they are pasted into the picture."""
    transform: Any = net.transform
    paste = transform.postprocess
    grids: list[Tensor] = []

    def noted(result: list[dict[str, Tensor]], *sizes: Any) -> Any:
        grids.extend(each["masks"][:, 0].clone() for each in result if "masks" in each)
        return paste(result, *sizes)

    transform.postprocess = noted
    found: list[dict[str, Tensor]] = net.eval()([image.float() / 255])
    transform.postprocess = paste
    return {**found[0], **({"grids": grids[0]} if grids else {})}


@torch.no_grad()
def shaken(net: nn.Module) -> None:
    """Every weight by up to a millionth of itself."""
    for name, tensor in net.state_dict().items():
        tensor.mul_(1 + 1e-6 * spread(tensor.numel(), zlib.crc32(name.encode()) / 2**33).view(tensor.shape).float())


def cut(found: dict[str, Tensor]) -> float:
    """A score such that few things are surer, none nearly as sure."""
    scores = found["scores"][FEWEST - 1 : MOST + 1]
    at = int((scores[:-1] - scores[1:]).argmax())
    return round(float(scores[at] + scores[at + 1]) / 2, 4)


def above(found: dict[str, Tensor], score: float) -> dict[str, Tensor]:
    """The surer ones. RetinaNet's first output means nothing, but weights that nobody trained do not know."""
    sure = (found["scores"] > score) & (found["labels"] > 0)
    return {name: value[sure] for name, value in found.items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return (
        torch.equal(a["labels"], b["labels"])
        and bool(((a["scores"] - b["scores"]).abs() < 1e-4).all())
        and bool(((a["boxes"] - b["boxes"]).abs() < 5e-3).all())
    )


def record(found: dict[str, Tensor], size: tuple[int, int]) -> dict[str, Any]:
    """Boxes, labels and scores, and in few numbers what else there is."""
    kept: dict[str, Any] = {
        "hw": list(size),
        "boxes_xyxy": [[round(v, 4) for v in box] for box in found["boxes"].tolist()],
        "labels": found["labels"].tolist(),
        "scores": [round(v, 6) for v in found["scores"].tolist()],
    }
    if "masks" in found:
        whole = found["masks"][:, 0] >= 0.5  # (D, H, W)
        kept["mask_area"] = whole.sum((1, 2)).tolist()
        across = found["grids"].diagonal(dim1=1, dim2=2)  # (D, 28)
        kept["mask_diagonal"] = [[round(v, 4) for v in each] for each in across.tolist()]
    if "keypoints" in found:
        kept["keypoints"] = [[[round(v, 3) for v in p[:2]] for p in each] for each in found["keypoints"].tolist()]
        kept["keypoint_scores"] = [[round(v, 4) for v in each] for each in found["keypoints_scores"].tolist()]
    return kept


def write(cases: dict[str, Any]) -> None:
    about = "What torchvision 0.28.0 finds; see tools/record_torchvision_detections.py."
    rows = ",\n".join(f'"{case}": {json.dumps(each, separators=(",", ":"))}' for case, each in cases.items())
    OUT.write_text(f'{{"about": "{about}", "cases": {{\n{rows}\n}}}}\n', encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder in which torchvision's own folder lies")
    parser.add_argument("--only", default="", help="a pattern: cases whose names begin so; the others are kept")
    args = parser.parse_args()
    detection = load_library(args.folder)
    old = json.loads(OUT.read_text(encoding="utf-8"))["cases"] if OUT.exists() else {}
    cases = dict(old)
    for case, (network, size, rule) in CASES.items():
        if not re.match(args.only, case):
            continue
        net = build(detection, network, rule)
        fill(net)
        image = picture(*size)
        found = detect(net, image)
        shaken(net)
        if len(found["scores"]) <= FEWEST:
            raise SystemExit(f"{case}: {len(found['scores'])} things are too few. Change the scales.")
        score = cut(found)
        found, again = above(found, score), above(detect(net, image), score)
        scores = found["scores"]
        kinds = len(set(found["labels"].tolist()))
        print(
            f"{case}: {len(scores)} things of {kinds} classes, scores {scores[0]:.3f} to {scores[-1]:.3f}", flush=True
        )
        if not same(found, again):
            raise SystemExit(f"{case}: what is found hangs on the last digits. Change the scales.")
        cases[case] = {"network": network, "rule": rule, "score": score, **record(found, size)}
        write({name: cases[name] for name in CASES if name in cases})


if __name__ == "__main__":
    main()

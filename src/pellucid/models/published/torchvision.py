"""The files that torchvision publishes for the networks here: classifiers, segmenters and detectors.

Names and preprocessing after torchvision's own table of weights (https://github.com/pytorch/vision, BSD-3-Clause).
The files of GoogLeNet and Inception v3 came from TensorFlow, which counts pixels from -1 to 1: their first step
there is `x * std / 0.5 + (mean - 0.5) / 0.5` on what the usual norm gave, which together is `(p / 255 - 0.5) / 0.5`.
"""

from pellucid.core.preprocess import Preprocess, Resize
from pellucid.models.published.entry import Entry, normalised

SOURCE = "torchvision, https://download.pytorch.org/models/{file}"
LICENCE = "BSD-3-Clause (torchvision); trained on ImageNet-1k"
SWAG_LICENCE = "CC-BY-NC-4.0 (SWAG); trained on ImageNet-1k and other pictures"
HALF = (0.5, 0.5, 0.5)


def _usual(size: int = 224, canvas: int = 256) -> Preprocess:
    return normalised((size, size), (canvas, canvas))


def _swag(size: int) -> Preprocess:
    return normalised((size, size), (size, size), interpolation="bicubic")


USUAL = _usual()
NEWER = _usual(canvas=232)  # the second recipe of 2021
FROM_TENSORFLOW = normalised((224, 224), (256, 256), HALF, HALF)

# network, edition, file, preprocessing; of one network the first is taken when a file does not say which it is
ROWS: tuple[tuple[str, str, str, Preprocess], ...] = (
    ("alexnet", "v1", "alexnet-owt-7be5be79.pth", USUAL),
    ("vgg11", "v1", "vgg11-8a719046.pth", USUAL),
    ("vgg11_bn", "v1", "vgg11_bn-6002323d.pth", USUAL),
    ("vgg13", "v1", "vgg13-19584684.pth", USUAL),
    ("vgg13_bn", "v1", "vgg13_bn-abd245e5.pth", USUAL),
    ("vgg16", "v1", "vgg16-397923af.pth", USUAL),
    ("vgg16_bn", "v1", "vgg16_bn-6c64b313.pth", USUAL),
    ("vgg19", "v1", "vgg19-dcbb9e9d.pth", USUAL),
    ("vgg19_bn", "v1", "vgg19_bn-c79401a0.pth", USUAL),
    ("googlenet", "v1", "googlenet-1378be20.pth", FROM_TENSORFLOW),
    ("inception_v3", "v1", "inception_v3_google-0cc3c7bd.pth", normalised((299, 299), (342, 342), HALF, HALF)),
    ("resnet18", "v1", "resnet18-f37072fd.pth", USUAL),
    ("resnet34", "v1", "resnet34-b627a593.pth", USUAL),
    ("resnet50", "v1", "resnet50-0676ba61.pth", USUAL),
    ("resnet50", "v2", "resnet50-11ad3fa6.pth", NEWER),
    ("resnet101", "v1", "resnet101-63fe2227.pth", USUAL),
    ("resnet101", "v2", "resnet101-cd907fc2.pth", NEWER),
    ("resnet152", "v1", "resnet152-394f9c45.pth", USUAL),
    ("resnet152", "v2", "resnet152-f82ba261.pth", NEWER),
    ("wide_resnet50_2", "v1", "wide_resnet50_2-95faca4d.pth", USUAL),
    ("wide_resnet50_2", "v2", "wide_resnet50_2-9ba9bcbe.pth", NEWER),
    ("wide_resnet101_2", "v1", "wide_resnet101_2-32ee1156.pth", USUAL),
    ("wide_resnet101_2", "v2", "wide_resnet101_2-d733dc28.pth", NEWER),
    ("resnext50_32x4d", "v1", "resnext50_32x4d-7cdf4587.pth", USUAL),
    ("resnext50_32x4d", "v2", "resnext50_32x4d-1a0047aa.pth", NEWER),
    ("resnext101_32x8d", "v1", "resnext101_32x8d-8ba56ff5.pth", USUAL),
    ("resnext101_32x8d", "v2", "resnext101_32x8d-110c445d.pth", NEWER),
    ("densenet121", "v1", "densenet121-a639ec97.pth", USUAL),
    ("densenet161", "v1", "densenet161-8d451a50.pth", USUAL),
    ("densenet169", "v1", "densenet169-b2777c0a.pth", USUAL),
    ("densenet201", "v1", "densenet201-c1103571.pth", USUAL),
    ("squeezenet1_0", "v1", "squeezenet1_0-b66bff10.pth", USUAL),
    ("squeezenet1_1", "v1", "squeezenet1_1-b8a52dc0.pth", USUAL),
    ("mobilenet_v2", "v1", "mobilenet_v2-b0353104.pth", USUAL),
    ("mobilenet_v2", "v2", "mobilenet_v2-7ebf99e0.pth", NEWER),
    ("mobilenet_v3_small", "v1", "mobilenet_v3_small-047dcff4.pth", USUAL),
    ("mobilenet_v3_large", "v1", "mobilenet_v3_large-8738ca79.pth", USUAL),
    ("mobilenet_v3_large", "v2", "mobilenet_v3_large-5c1a4163.pth", NEWER),
    ("shufflenet_v2_x0_5", "v1", "shufflenetv2_x0.5-f707e7126e.pth", USUAL),
    ("shufflenet_v2_x1_0", "v1", "shufflenetv2_x1-5666bf0f80.pth", USUAL),
    ("shufflenet_v2_x1_5", "v1", "shufflenetv2_x1_5-3c479a10.pth", NEWER),
    ("shufflenet_v2_x2_0", "v1", "shufflenetv2_x2_0-8be3c8ee.pth", NEWER),
    ("vit_b_16", "v1", "vit_b_16-c867db91.pth", USUAL),
    ("vit_b_16", "swag_e2e_v1", "vit_b_16_swag-9ac1b537.pth", _swag(384)),
    ("vit_b_16", "swag_linear_v1", "vit_b_16_lc_swag-4e70ced5.pth", _swag(224)),
    ("vit_b_32", "v1", "vit_b_32-d86f8d99.pth", USUAL),
)

# name -> entry
TORCHVISION: dict[str, Entry] = {
    f"{network}.imagenet1k_{edition}": Entry(
        name=f"{network}.imagenet1k_{edition}",
        network=network,
        file=file,
        preprocess=preprocess,
        n_classes=1000,
        source=SOURCE.format(file=file),
        licence=SWAG_LICENCE if "swag" in edition else LICENCE,
    )
    for network, edition, file, preprocess in ROWS
}

# torchvision resizes the short side to 520 px and cuts nothing off; on a canvas of one size the rest is background
WHOLE = Preprocess(
    (520, 520), fit="pad", shift=USUAL.shift, scale=USUAL.scale, background=(124, 116, 104), interpolation="bilinear"
)
SEGMENTER_LICENCE = "BSD-3-Clause (torchvision); trained on COCO's pictures of VOC's classes"
SEGMENTER_ROWS = (
    ("fcn_resnet50", "fcn_resnet50_coco-1167a1af.pth"),
    ("fcn_resnet101", "fcn_resnet101_coco-7ecb50ca.pth"),
    ("deeplabv3_resnet50", "deeplabv3_resnet50_coco-cd0a2569.pth"),
    ("deeplabv3_resnet101", "deeplabv3_resnet101_coco-586e9e4e.pth"),
)

# name -> entry
SEGMENTERS: dict[str, Entry] = {
    f"{network}.coco_with_voc_labels_v1": Entry(
        name=f"{network}.coco_with_voc_labels_v1",
        network=network,
        file=file,
        preprocess=WHOLE,
        n_classes=21,
        source=SOURCE.format(file=file),
        licence=SEGMENTER_LICENCE,
    )
    for network, file in SEGMENTER_ROWS
}

# torchvision makes a picture to numbers first and then resizes it; tiles are as large as COCO's pictures
ROOM = (640, 640)
LARGE = Preprocess(ROOM, fit="own", shift=USUAL.shift, scale=USUAL.scale, resize=Resize(800, 1333))
SQUARE = Preprocess(
    ROOM,
    fit="own",
    shift=tuple(255 * mean for mean in (0.48235, 0.45882, 0.40784)),
    scale=(1.0, 1.0, 1.0),
    resize=Resize(to=(300, 300)),
)
DETECTOR_LICENCE = "BSD-3-Clause (torchvision); trained on COCO"
DETECTOR_ROWS = (  # network, edition, file, preprocessing, K
    ("fasterrcnn_resnet50_fpn", "v1", "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth", LARGE, 90),
    ("retinanet_resnet50_fpn", "v1", "retinanet_resnet50_fpn_coco-eeacb38b.pth", LARGE, 90),
    ("ssd300_vgg16", "v1", "ssd300_vgg16_coco-b556d3b4.pth", SQUARE, 90),
    ("maskrcnn_resnet50_fpn", "v1", "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth", LARGE, 90),
    ("keypointrcnn_resnet50_fpn", "v1", "keypointrcnn_resnet50_fpn_coco-fc266e95.pth", LARGE, 1),
)

# name -> entry
DETECTORS: dict[str, Entry] = {
    f"{network}.coco_{edition}": Entry(
        name=f"{network}.coco_{edition}",
        network=network,
        file=file,
        preprocess=preprocess,
        n_classes=n_classes,
        source=SOURCE.format(file=file),
        licence=DETECTOR_LICENCE,
    )
    for network, edition, file, preprocess, n_classes in DETECTOR_ROWS
}
ENTRIES = (*TORCHVISION.values(), *SEGMENTERS.values(), *DETECTORS.values())


def by_file(file: str) -> Entry | None:
    """The entry that was published under this file name; None for any other name."""
    return next((entry for entry in ENTRIES if entry.file == file), None)


def by_network(network: str) -> Entry | None:
    """The first edition of this network; None where torchvision publishes none."""
    return next((entry for entry in ENTRIES if entry.network == network), None)

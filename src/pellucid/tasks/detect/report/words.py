"""What numbers, kinds of errors and sizes of a detector mean, in plain words."""

NUMBERS = {
    "ap": (
        "AP",
        "the number that decides: mean over the classes, and over how exactly boxes must fit (IoU 0.50 to 0.95)",
    ),
    "ap50": ("AP50", "the same when a box need only roughly fit (IoU 0.50)"),
    "ap75": ("AP75", "the same when it must fit well (IoU 0.75)"),
    "ap_small": ("AP small", "AP of things below 32 x 32 px in the file"),
    "ap_medium": ("AP medium", "AP of things from 32 x 32 to 96 x 96 px"),
    "ap_large": ("AP large", "AP of things above 96 x 96 px"),
    "ar1": ("AR1", "share of things found if only the surest of each class and picture counts"),
    "ar10": ("AR10", "the same with ten"),
    "ar100": ("AR100", "the same with a hundred: what could be reached by better scores alone"),
    "ar_small": ("AR small", "AR100 of small things"),
    "ar_medium": ("AR medium", "AR100 of medium things"),
    "ar_large": ("AR large", "AR100 of large things"),
}

KINDS = {
    "class": "right place, wrong name",
    "location": "right name, but the box fits by less than half (IoU 0.1 to 0.5)",
    "both": "wrong name, and a box that fits by less than half",
    "duplicate": "found already, by a surer box",
    "background": "there is nothing",
    "missed": "not found at all",
}

CURES = {
    "class": "look at the pairs of classes that are confused; more pictures of both, or one class of the two",
    "location": "larger pictures (--image-size), longer training, or more exact boxes in the data",
    "both": "longer training; this goes with wrong names and poor boxes",
    "duplicate": "a lower --iou for predictions, so that less overlap is allowed",
    "background": "a higher --conf; look whether some of these are there and were not marked",
    "missed": "larger pictures if things are small, a lower --conf, more pictures of what is missed",
}


def percent(share: float) -> str:
    """Whole percents, and one digit more below 1 %."""
    return f"{share:.0%}" if share >= 0.01 or share == 0 else f"{share:.1%}"

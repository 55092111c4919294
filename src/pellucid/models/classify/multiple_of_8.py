"""Numbers of feature maps that hardware likes, as the mobile networks round them."""


def multiple_of_8(maps: float) -> int:
    """The nearest multiple of 8, at least 8, and not more than a tenth below `maps`: then it is the next one.

    As in the code of MobileNet v2 to EfficientNet (https://github.com/tensorflow/models, `_make_divisible`).
    """
    rounded = max(8, int(maps + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * maps else rounded

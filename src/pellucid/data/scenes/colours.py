"""The colours that things are tinted with, by the names that sentences use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """A named colour.

    Attributes:
        chinese: its name in Chinese, as it stands before a noun.
        rgb: 0..255.
        vivid: whether it stands out from grey, white and black.
    """

    chinese: str
    rgb: tuple[int, int, int]
    vivid: bool = True


# Far enough from one another that each, changed by up to 20 in every channel, is still nearest to itself.
COLOURS: dict[str, Colour] = {
    "red": Colour("红色", (215, 45, 45)),
    "orange": Colour("橙色", (245, 135, 30)),
    "yellow": Colour("黄色", (235, 220, 60)),
    "green": Colour("绿色", (55, 160, 70)),
    "turquoise": Colour("青色", (70, 205, 200)),
    "blue": Colour("蓝色", (50, 85, 215)),
    "purple": Colour("紫色", (140, 60, 180)),
    "pink": Colour("粉色", (245, 140, 190)),
    "brown": Colour("棕色", (130, 80, 40)),
    "white": Colour("白色", (235, 235, 235), vivid=False),
    "grey": Colour("灰色", (145, 145, 145), vivid=False),
    "black": Colour("黑色", (50, 50, 55), vivid=False),
}

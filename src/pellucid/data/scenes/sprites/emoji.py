"""Sprites from Noto Color Emoji: ten classes of several drawings each, or a class for every drawing.

The font is not packaged. Every split shows the same drawings, which differ in place, size, mirror and turn.
"""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pellucid.core.errors import DataError
from pellucid.data.scenes.sprites.cutouts import Catalogue, Sprites

FONT = "NotoColorEmoji.ttf"
VARIABLE = "PELLUCID_EMOJI_FONT"
FOLDERS = (
    "/usr/share/fonts/truetype/noto",  # Debian, Ubuntu
    "/usr/share/fonts/noto",  # Arch
    "/usr/share/fonts/noto-emoji",
    "/usr/share/fonts/google-noto-emoji-color-fonts",  # Fedora
    "/usr/share/fonts/google-noto-color-emoji-fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "~/Library/Fonts",
)
STRIKE = 109  # the one size in which the font has its pictures
FRAME = 128  # longer side of every sprite
# Class -> its name in Chinese, and its drawings: character -> what it is in English and Chinese.
EMOJI: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "dog": (
        "狗",
        {"🐕": ("dog", "狗"), "🐩": ("poodle", "贵宾犬"), "🐶": ("dog face", "狗脸"), "🦮": ("guide dog", "导盲犬")},
    ),
    "bird": (
        "鸟",
        {
            "🦅": ("eagle", "鹰"),
            "🦆": ("duck", "鸭子"),
            "🦉": ("owl", "猫头鹰"),
            "🦜": ("parrot", "鹦鹉"),
            "🐓": ("rooster", "公鸡"),
            "🐧": ("penguin", "企鹅"),
        },
    ),
    "fish": (
        "鱼",
        {"🐟": ("fish", "鱼"), "🐠": ("tropical fish", "热带鱼"), "🐡": ("blowfish", "河豚"), "🦈": ("shark", "鲨鱼")},
    ),
    "car": (
        "汽车",
        {"🚗": ("car", "轿车"), "🚙": ("van", "越野车"), "🚓": ("police car", "警车"), "🏎": ("racing car", "赛车")},
    ),
    "boat": (
        "船",
        {"⛵": ("sailing boat", "帆船"), "🚤": ("speedboat", "快艇"), "🚢": ("ship", "轮船"), "⛴": ("ferry", "渡轮")},
    ),
    "flower": (
        "花",
        {
            "🌷": ("tulip", "郁金香"),
            "🌹": ("rose", "玫瑰"),
            "🌻": ("sunflower", "向日葵"),
            "🌼": ("daisy", "雏菊"),
            "🌺": ("hibiscus", "木槿"),
        },
    ),
    "tree": (
        "树",
        {"🌲": ("fir", "冷杉"), "🌳": ("oak", "橡树"), "🌴": ("palm", "棕榈"), "🎄": ("Christmas tree", "圣诞树")},
    ),
    "fruit": (
        "水果",
        {
            "🍎": ("apple", "苹果"),
            "🍐": ("pear", "梨"),
            "🍌": ("banana", "香蕉"),
            "🍇": ("grapes", "葡萄"),
            "🍓": ("strawberry", "草莓"),
            "🍍": ("pineapple", "菠萝"),
        },
    ),
    "shoe": (
        "鞋",
        {
            "👟": ("trainer", "运动鞋"),
            "👞": ("leather shoe", "皮鞋"),
            "👠": ("high heel", "高跟鞋"),
            "👢": ("boot", "长靴"),
            "🥾": ("hiking boot", "登山靴"),
        },
    ),
    "instrument": (
        "乐器",
        {
            "🎸": ("guitar", "吉他"),
            "🎺": ("trumpet", "小号"),
            "🎷": ("saxophone", "萨克斯"),
            "🎻": ("violin", "小提琴"),
            "🥁": ("drum", "鼓"),
        },
    ),
}


def emoji() -> Catalogue:
    """Ten classes of four to six drawings each.

    Raises:
        DataError: the font is not there, or cannot be drawn with.
    """
    labels = [number for number, (_, drawings) in enumerate(EMOJI.values()) for _ in drawings]
    return _catalogue(font_path(), tuple(EMOJI), tuple(chinese for chinese, _ in EMOJI.values()), tuple(labels))


def each_emoji() -> Catalogue:
    """A class for every drawing.

    Raises:
        DataError: the font is not there, or cannot be drawn with.
    """
    names = [name for _, drawings in EMOJI.values() for name in drawings.values()]
    english, chinese = zip(*names, strict=True)
    return _catalogue(font_path(), english, chinese, tuple(range(len(names))))


def font_path() -> Path:
    """The font: where PELLUCID_EMOJI_FONT says, or where systems put it.

    Raises:
        DataError: it is not there; the message says how to get it.
    """
    if named := os.environ.get(VARIABLE):
        if not Path(named).is_file():
            raise DataError(f"{VARIABLE} names {named}, which is no file: it must be the path of {FONT}.")
        return Path(named)
    for folder in FOLDERS:
        path = Path(folder).expanduser() / FONT
        if path.is_file():
            return path
    raise DataError(
        f"sprites=emoji needs the font {FONT}, which is not on this machine: install Debian's package "
        f"fonts-noto-color-emoji, or set {VARIABLE} to the path of the file."
    )


@cache
def _catalogue(path: Path, classes: tuple[str, ...], chinese: tuple[str, ...], labels: tuple[int, ...]) -> Catalogue:
    drawn = [_draw(path, character) for _, drawings in EMOJI.values() for character in drawings]
    sprites = colour_sprites(drawn, labels, FRAME)
    return Catalogue(
        classes,
        chinese,
        lambda role: sprites,
        licence="SIL Open Font Licence 1.1 (the drawings)",
        origin=f"the font {FONT} of this machine",
        shared=True,
    )


def _draw(path: Path, character: str) -> Image.Image:
    try:
        font = ImageFont.truetype(str(path), STRIKE, layout_engine=ImageFont.Layout.BASIC)
        picture = Image.new("RGBA", (160, 160))
        ImageDraw.Draw(picture).text((8, 8), character, font=font, embedded_color=True)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be drawn with ({error}): it must be the bitmap version of {FONT}.") from error
    if picture.getbbox() is None:
        raise DataError(f"{path} has no picture of {character}: take a newer {FONT}.")
    return picture


def colour_sprites(pictures: Sequence[Image.Image], labels: Sequence[int], frame: int) -> Sprites:
    """Pictures with alpha, cut to what is visible, each in the middle of a square.

    Args:
        pictures: RGBA, none of them empty.
        labels: class of each, from 0.
        frame: side of the square in pixels; what is visible is made so long.
    """
    shade = np.zeros((len(pictures), frame, frame, 3), dtype=np.uint8)
    coverage = np.zeros((len(pictures), frame, frame), dtype=np.uint8)
    for row, picture in enumerate(pictures):
        visible = picture.crop(picture.getchannel("A").getbbox())
        longer = max(visible.size)
        width, height = (max(1, side * frame // longer) for side in visible.size)
        # Pillow dims by alpha before it mixes, and reckons in whole numbers.
        pixels = np.asarray(visible.convert("RGBa").resize((width, height), Image.Resampling.BILINEAR))
        top, left = (frame - height) // 2, (frame - width) // 2
        place = (row, slice(top, top + height), slice(left, left + width))
        shade[place], coverage[place] = pixels[..., :3], pixels[..., 3]
    return Sprites(shade, coverage, np.asarray(labels, dtype=np.int64) + 1)

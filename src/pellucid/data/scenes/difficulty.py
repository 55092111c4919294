"""How hard a scene is: a range for everything that is left to chance. Percentages are whole numbers."""

from dataclasses import dataclass, replace

from pellucid.core.config import require


@dataclass(frozen=True)
class Difficulty:
    """Ranges, both ends included.

    Attributes:
        things: how many in a scene.
        size: longer side of a thing, in percent of the picture's shorter side.
        rotation: by how many degrees a thing may be turned either way.
        overlap: what share of a thing's box other boxes may cover, in percent, as far as eight tries find a place.
        cut: what share of a thing's height and width may reach over the border, in percent.
        clutter: how many shapes of no class lie behind the things.
        gain: how bright the light is, in percent of full.
        cast: by how many percent each channel of the light may differ.
        slope: how much lighter or darker it may be at the border than in the middle, in percent; at most 45.
        shadows: in what share of scenes things cast a shadow, in percent.
        strength: how much light a shadow takes away, in percent.
        contrast: by how much of 255 the two colours of a texture may differ, and what percentage of its contrast a
            photograph may keep.
        photographs: what share of scenes has a photograph behind it, in percent.
        vivid: whether things are never white, grey or black.
        tint: by how much of 255 a thing's colour may differ from the named one in each channel; at most 20.
        grain: noise over everything, in values of 255.
    """

    things: tuple[int, int]
    size: tuple[int, int]
    rotation: int
    overlap: int
    cut: int
    clutter: tuple[int, int]
    gain: tuple[int, int]
    cast: int
    slope: int
    shadows: int
    strength: tuple[int, int]
    contrast: int
    photographs: int
    vivid: bool
    tint: int
    grain: tuple[int, int]

    def __post_init__(self) -> None:
        """Raises: ConfigError: a range that cannot be drawn."""
        for name, least, most in (
            ("things", 0, 254),  # numbers of things are bytes
            ("size", 1, 400),
            ("clutter", 0, 254),
            ("gain", 1, 160),
            ("strength", 0, 100),
            ("grain", 0, 127),
        ):
            low, high = getattr(self, name)
            require(least <= low <= high <= most, name, f"a range from {least} to {most}", (low, high))
        for name, most in (
            ("rotation", 360),
            ("overlap", 100),
            ("cut", 100),
            ("cast", 30),
            ("slope", 45),
            ("shadows", 100),
            ("contrast", 255),
            ("photographs", 100),
            ("tint", 20),
        ):
            require(0 <= getattr(self, name) <= most, name, f"from 0 to {most}", getattr(self, name))


DIFFICULTIES: dict[str, Difficulty] = {
    "easy": Difficulty(
        things=(1, 4),
        size=(30, 65),
        rotation=0,
        overlap=30,
        cut=10,
        clutter=(0, 0),
        gain=(90, 110),
        cast=0,
        slope=0,
        shadows=0,
        strength=(0, 0),
        contrast=60,
        photographs=0,
        vivid=True,
        tint=10,
        grain=(0, 0),
    ),
    "medium": Difficulty(
        things=(1, 6),
        size=(19, 39),
        rotation=10,
        overlap=60,
        cut=20,
        clutter=(0, 2),
        gain=(80, 120),
        cast=5,
        slope=20,
        shadows=50,
        strength=(20, 45),
        contrast=100,
        photographs=20,
        vivid=False,
        tint=20,
        grain=(0, 4),
    ),
    "hard": Difficulty(
        things=(3, 10),
        size=(12, 45),
        rotation=60,
        overlap=100,
        cut=40,
        clutter=(2, 6),
        gain=(55, 140),
        cast=15,
        slope=40,
        shadows=80,
        strength=(30, 70),
        contrast=160,
        photographs=50,
        vivid=False,
        tint=20,
        grain=(0, 12),
    ),
}


def filling(difficulty: Difficulty) -> Difficulty:
    """The same light and backgrounds, but for one thing that fills the picture."""
    return replace(difficulty, things=(1, 1), size=(70, 100), cut=5, clutter=(0, 0))

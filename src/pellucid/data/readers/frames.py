"""Moving pictures: GIF, WebP and TIFF files of several frames, each of which is a picture like any other."""

from pathlib import Path

from PIL import Image

from pellucid.core.errors import ImageError
from pellucid.data.image_file import MAX_PIXELS, opened

MOVING = frozenset({".gif", ".webp", ".tif", ".tiff"})  # endings of files that may hold several frames
MOST_FRAMES = 100_000
AT_ONCE = 64  # frames that are decoded together, as long as they have not more pixels than a picture may


class Reel:
    """The frames of a file. Each depends on those before it, so they are decoded in order, many at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: dict[int, Image.Image] = {}

    def frame(self, number: int) -> Image.Image:
        """Frame `number`, from 0 on.

        Raises:
            ImageError: the file cannot be opened, or that frame cannot be decoded.
        """
        if number not in self._held:
            self._held = {}
            with opened(self.path) as (image, _, name):
                most = min(AT_ONCE, max(1, MAX_PIXELS // (image.width * image.height)))
                for each in range(number, min(number + most, getattr(image, "n_frames", 1))):
                    image.seek(each)
                    self._held[each] = image.copy()
                if number not in self._held:
                    raise ImageError(f"{name} has no frame {number + 1}.", "damaged")
        return self._held[number]


class Frame(str):
    """One frame of a file, a picture that can be read; as text the file's name, `#` and its number from 1 on.

    Attributes:
        reel: the file.
        number: from 0 on.
    """

    reel: Reel
    number: int

    def __new__(cls, reel: Reel, number: int) -> "Frame":
        frame = super().__new__(cls, f"{reel.path}#{number + 1}")
        frame.reel, frame.number = reel, number
        return frame

    @property
    def image(self) -> Image.Image:
        """Decoded.

        Raises:
            ImageError: the file cannot be opened, or this frame cannot be decoded.
        """
        return self.reel.frame(self.number)

    @property
    def stem(self) -> str:
        """A name for files: that of the file, and the number."""
        return f"{self.reel.path.stem}-{self.number + 1:04d}"


def frames(path: Path) -> list[Frame]:
    """The frames of a file; none of one that holds a single picture, or cannot be opened, or has another ending.

    Pages of a TIFF count as frames if all of them have one size; else only the first one is a picture, as where smaller
    copies of it follow.

    Raises:
        ImageError: there are more than 100,000.
    """
    if path.suffix.lower() not in MOVING:
        return []
    try:
        with opened(path) as (image, _, name):
            count = getattr(image, "n_frames", 1)
            if count > MOST_FRAMES:
                raise ImageError(f"{name} has {count:,} frames; the limit is {MOST_FRAMES:,}.", "too-large")
            if image.format == "TIFF" and count > 1:
                sizes = set()
                for number in range(count):
                    image.seek(number)
                    sizes.add(image.size)
                count = count if len(sizes) == 1 else 1
    except ImageError as error:
        if error.kind == "too-large":
            raise
        return []  # it is said when it is read
    reel = Reel(path)
    return [Frame(reel, number) for number in range(count)] if count > 1 else []

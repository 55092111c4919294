"""Reading pictures for training, side by side with a Pillow loop under torch's DataLoader.

    python benchmarks/data_pipeline.py [--images 2000] [--rounds 7]

2,000 JPEGs of 500x375 pixels become normalised float32 batches of 128 at 224 pixels, on one core. The peer decodes and
transforms every picture in every epoch. Pellucid's first epoch decodes into a pack and reads from it, its later
epochs read from the pack. What is drawn is not the same everywhere, and said in the table's notes.
"""

import argparse
import math
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import numpy as np
import timing
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from pellucid.core.preprocess import Preprocess
from pellucid.data.images import read_image
from pellucid.data.loader import Loader
from pellucid.data.pack import Pack, make_pack
from pellucid.data.source import Source
from pellucid.data.transforms import Compose, Flip, RandomCrop, Transform, Window
from pellucid.ops.normalise import normalise

HEIGHT, WIDTH = 375, 500
SIZE, CANVAS, BATCH = 224, 256, 128  # the batch that `pellucid train` takes by itself
AREA, ASPECT = (0.08, 1.0), (3 / 4, 4 / 3)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PREPROCESS = Preprocess(
    size=(SIZE, SIZE),
    canvas=(CANVAS, CANVAS),
    shift=tuple(255 * mean for mean in MEAN),
    scale=tuple(1 / (255 * std) for std in STD),
)

NOTES = f"""\
**What is drawn.** Every variant gives float32 batches of {BATCH} normalised pictures of {SIZE}x{SIZE}, mirrored with \
probability 1/2.

- *random part*: a part of the picture with a share of {AREA[0]} to 1 of its area and a ratio of sides from 3:4 to \
4:3, scaled to {SIZE} with antialiasing. The peer cuts it from the file's {WIDTH}x{HEIGHT} pixels, Pellucid from a \
canvas: with the canvas 256x341 from all of the photograph, shrunk; with 256x256 from its middle square, shrunk. So \
small parts are less sharp than the peer's. Each picture has a place of its own; a batch has 8 shapes.
- *window*: a {SIZE}x{SIZE} window of the 256x256 canvas, at a random place, in whole pixels and without scaling. This \
is what Pellucid does by itself for photographs; it varies the place by 16 pixels each way, not the scale.

**What limits it.** The first epoch cannot be faster than decoding. Later epochs are bound by memory: each pixel is \
copied once out of the pack, once more if it is mirrored, and normalised in two passes; a random part is resized, \
which takes as long as all the rest.

**Outputs checked in the same run.** """


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    timing.use_one_core()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_pictures(Path(folder) / "photos", asked.images)
        variants = make_variants(paths, Path(folder) / "packs")
        fresh = Path(folder) / "packs" / "fresh"
        times = timing.interleave(variants, asked.rounds, after=lambda: shutil.rmtree(fresh, ignore_errors=True))
        checks = check(paths, Path(folder) / "packs")
    report(asked, times, checks)


def report(asked: argparse.Namespace, times: dict[str, timing.Timed], checks: str) -> None:
    """The table of all variants against the first."""
    peer = next(iter(times.values()))
    rows = []
    for name, timed in times.items():
        each = [1e3 * timed.median(clock) / asked.images for clock in ("cpu", "wall")]
        fold = f"{timing.ratio(peer, timed):.1f}x"
        rows.append([name, f"{each[0]:.3f}", f"{each[1]:.3f}", fold, f"{timing.ratio(peer, timed, 'wall'):.1f}x"])
    header = ["variant", "CPU ms a picture", "wall ms a picture", "times the Pillow epoch, CPU", "wall"]
    disturbed = sum(timed.disturbed for timed in times.values())
    about = (
        f"{asked.images:,} JPEGs {WIDTH}x{HEIGHT}, quality 90; one core; median of {asked.rounds} interleaved rounds "
        f"({disturbed} of {asked.rounds * len(times)} measurements were disturbed: wall over CPU by more than 15 %)."
    )
    parts = [about, timing.table(header, rows), NOTES + checks]
    if not has_opencv():
        parts.append("OpenCV is not installed, so its loop was left out.")
    print("\n\n".join(parts))
    if asked.images >= 2000:
        command = f"python benchmarks/data_pipeline.py --images {asked.images} --rounds {asked.rounds}"
        packages = ["torch", "pillow", "simplejpeg", "numpy", "opencv-python-headless"]
        timing.write_result("data_pipeline", "Data pipeline", command, packages, parts)
    else:
        print("A quick try: no result file is written below 2,000 pictures.", file=sys.stderr)


# ------------------------------------------------------------------------------------------------ the pictures


def write_pictures(folder: Path, n: int) -> list[Path]:
    """`n` different JPEGs: parts of real photographs, turned and recoloured."""
    from skimage import data
    from sklearn.datasets import load_sample_images

    photographs = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket(), *load_sample_images().images]
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    paths = []
    for number in range(n):
        photo = Image.fromarray(photographs[number % len(photographs)])
        share = rng.uniform(0.6, 1.0)
        width = min(photo.width, photo.height * WIDTH / HEIGHT) * share
        height = width * HEIGHT / WIDTH
        left, top = rng.uniform(0, photo.width - width), rng.uniform(0, photo.height - height)
        box = (left, top, left + width, top + height)
        photo = photo.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=box)
        gain = rng.uniform(0.7, 1.2, size=3)
        pixels = np.clip(np.asarray(photo) * gain, 0, 255).astype(np.uint8)
        paths.append(folder / f"{number:05d}.jpg")
        Image.fromarray(pixels).save(paths[-1], "JPEG", quality=90)
    return paths


# -------------------------------------------------------------------------------------------------- the variants


def make_variants(paths: list[Path], packs: Path) -> dict[str, Callable[[], Any]]:
    """Name -> one epoch. Later epochs read a pack that is made here, once, untimed."""
    square, wide = (CANVAS, CANVAS), (CANVAS, round(CANVAS * WIDTH / HEIGHT))
    part = Compose((RandomCrop((SIZE, SIZE), AREA, ASPECT), Flip()))
    window = Compose((Window((SIZE, SIZE)), Flip()))
    ready = {size: pack(paths, size, packs / "ready") for size in (square, wide)}

    def first(size: tuple[int, int], transform: Transform) -> Callable[[], Any]:
        return lambda: epoch(pack(paths, size, packs / "fresh"), transform)

    variants = {"Pillow and DataLoader: random part": lambda: consume(pillow_epoch(paths))}
    if has_opencv():
        variants["OpenCV and DataLoader: random part"] = lambda: consume(opencv_epoch(paths))
    return {
        **variants,
        "Pillow: decoding alone": lambda: [np.asarray(Image.open(path).convert("RGB")).shape for path in paths],
        "Pellucid: decoding alone": lambda: [read_image(path).shape for path in paths],
        "Pellucid, epoch 1: random part of 256x341": first(wide, part),
        "Pellucid, epoch 1: window of 256x256": first(square, window),
        "Pellucid, epoch 2: random part of 256x341": lambda: epoch(ready[wide], part),
        "Pellucid, epoch 2: random part of 256x256": lambda: epoch(ready[square], part),
        "Pellucid, epoch 2: window of 256x256": lambda: epoch(ready[square], window),
        "Pellucid, epoch 2: window of 256x256, as bf16": lambda: epoch(ready[square], window, torch.bfloat16),
    }


def pack(paths: list[Path], size: tuple[int, int], cache: Path) -> Pack:
    source = Source("photos", paths, [path.name for path in paths], ("photo",), np.zeros(len(paths), np.int64))
    return make_pack(source, size, 3, "crop", (255, 255, 255), cache=cache)


def epoch(packed: Pack, transform: Transform, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """One epoch; the last batch."""
    loader = Loader(packed, np.arange(len(packed)), BATCH, shuffle=True, transform=transform)
    for batch in loader.epoch(0):
        x = normalise(batch["image"], PREPROCESS, dtype)
    return x


def consume(batches: Iterator[torch.Tensor]) -> torch.Tensor:
    for x in batches:
        last = x
    return last


class Photos(Dataset):  # type: ignore[type-arg]
    """The loop a competent person writes first: one picture at a time."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.mean = torch.tensor(MEAN).view(3, 1, 1)
        self.std = torch.tensor(STD).view(3, 1, 1)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.paths[index]) as file:
            image = file.convert("RGB")
        left, top, width, height = draw_part(image.width, image.height)
        image = image.crop((left, top, left + width, top + height)).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        if random.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        x = torch.from_numpy(np.array(image)).permute(2, 0, 1).to(torch.float32, memory_format=torch.contiguous_format)
        return x.div_(255).sub_(self.mean).div_(self.std), 0


class PhotosOpenCV(Photos):
    """The same with OpenCV, which shrinks faster but without antialiasing unless asked for areas."""

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        import cv2

        image = cv2.imread(str(self.paths[index]), cv2.IMREAD_COLOR_RGB)
        left, top, width, height = draw_part(image.shape[1], image.shape[0])
        image = cv2.resize(image[top : top + height, left : left + width], (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        if random.random() < 0.5:
            image = cv2.flip(image, 1)
        x = torch.from_numpy(image).permute(2, 0, 1).to(torch.float32, memory_format=torch.contiguous_format)
        return x.div_(255).sub_(self.mean).div_(self.std), 0


def draw_part(width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of a random part."""
    for _ in range(10):
        pixels = random.uniform(*AREA) * width * height
        aspect = math.exp(random.uniform(math.log(ASPECT[0]), math.log(ASPECT[1])))
        w, h = round(math.sqrt(pixels * aspect)), round(math.sqrt(pixels / aspect))
        if w <= width and h <= height:
            return random.randint(0, width - w), random.randint(0, height - h), w, h
    return 0, 0, width, height


def pillow_epoch(paths: list[Path]) -> Iterator[torch.Tensor]:
    for x, _ in DataLoader(Photos(paths), batch_size=BATCH, shuffle=True, num_workers=0):
        yield x


def opencv_epoch(paths: list[Path]) -> Iterator[torch.Tensor]:
    import cv2

    cv2.setNumThreads(1)
    for x, _ in DataLoader(PhotosOpenCV(paths), batch_size=BATCH, shuffle=True, num_workers=0):
        yield x


def has_opencv() -> bool:
    try:
        import cv2  # noqa: F401
    except ImportError:
        return False
    return True


# ---------------------------------------------------------------------------------------------------- the check


def check(paths: list[Path], packs: Path) -> str:
    """Redo 16 pictures with Pillow, from the places Pellucid drew; fail when they differ. What was found, in words."""
    n, size = 16, (CANVAS, CANVAS)
    packed = pack(paths[:n], size, packs / "check")
    side = min(HEIGHT, WIDTH)
    left = (WIDTH - side) // 2
    worst_pack = worst_part = worst_float = 0.0
    loader = Loader(packed, np.arange(n), n, transform=RandomCrop((SIZE, SIZE), AREA, ASPECT))
    batch = next(loader.epoch(0))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    floats = normalise(batch["image"], PREPROCESS)
    scale = HEIGHT / CANVAS
    for row in range(n):
        with Image.open(paths[row]) as file:
            middle = file.convert("RGB").crop((left, 0, left + side, side))
        shrunk = np.asarray(middle.resize((CANVAS, CANVAS), Image.Resampling.BILINEAR))
        worst_pack = max(worst_pack, np.abs(shrunk.astype(int) - packed.images[row]).max())
        (step_x, _, x), (_, step_y, y) = batch["canvas_affine"][row].tolist()
        x, y, width, height = (x - left) / scale, y / scale, step_x / scale * SIZE, step_y / scale * SIZE
        box = tuple(round(edge) for edge in (x, y, x + width, y + height))
        canvas = Image.fromarray(np.array(packed.images[row]))
        part = np.array(canvas.crop(box).resize((SIZE, SIZE), Image.Resampling.BILINEAR))
        ours = batch["image"][row].permute(1, 2, 0).numpy()
        worst_part = max(worst_part, np.abs(part.astype(int) - ours).max())
        plain = (batch["image"][row].float() / 255 - mean) / std
        worst_float = max(worst_float, float((plain - floats[row]).abs().max()))
    if worst_pack > 1 or worst_part > 1 or worst_float > 2e-6:
        sys.exit(f"Outputs differ: canvas {worst_pack}, part {worst_part}, normalised {worst_float}.")
    return (
        f"Canvases and random parts of {n} pictures were made again with Pillow from the same numbers: they differ by "
        f"at most {worst_pack:.0f} and {worst_part:.0f} of 255 levels; normalised values differ from the plain formula "
        f"by at most {worst_float:.0e}."
    )


if __name__ == "__main__":
    main()

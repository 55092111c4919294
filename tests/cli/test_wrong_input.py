"""Wrong input: one line on standard error that says what, what is allowed and what to do; nothing changes on disk."""

import re
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from answer import Answer, Ask
from PIL import Image
from small_runs import QUICK, everything, flags, make_photos, make_scenes

SHORT = flags({**QUICK, "epochs": 1})
Make = Callable[[], object]


def picture(path: str, shape: tuple[int, ...] = (12, 12, 3)) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros(shape, np.uint8)).save(path)


def one_class() -> None:
    for number in range(4):
        picture(f"data/cat/{number}.png")


def single_picture() -> None:
    one_class()
    picture("data/dog/0.png")


def loose_pictures() -> None:
    picture("data/1.png")
    picture("data/2.png")


def split_without_pictures() -> None:
    shutil.move(make_photos(Path("made")), "data/train")
    Path("data/val/red").mkdir(parents=True)


def misspelt_split() -> None:
    shutil.move(make_photos(Path("made"), n=4), "data/train")
    shutil.copytree("data/train", "data/vall")


def all_broken() -> None:
    for name in ("cat", "dog"):
        Path("data", name).mkdir(parents=True)
        for number in range(3):
            Path("data", name, f"{number}.jpg").write_text("I am text")


def some_broken() -> None:
    """Empty, text, cut short, and a PNG of a few bytes that says it is 50,000 pixels wide and high."""
    make_photos(Path("data"))
    empty, text, cut, bomb = (Path(f"data/red/{number}.png") for number in range(4))
    content = bomb.read_bytes()
    empty.write_bytes(b"")
    text.write_text("I am text")
    cut.write_bytes(content[: len(content) // 2])
    side = (50_000).to_bytes(4, "big")
    header = b"IHDR" + side + side + content[24:29]
    bomb.write_bytes(content[:12] + header + zlib.crc32(header).to_bytes(4, "big") + content[33:])


def masks_of_another_size() -> None:
    make_scenes(Path("data"))
    for path in Path("data/masks").iterdir():
        Image.fromarray(np.zeros((5, 5), np.uint8)).save(path)


def masks_of_one_class() -> None:
    make_scenes(Path("data"))
    for path in Path("data/masks").iterdir():
        Image.fromarray(np.zeros((20, 24), np.uint8)).save(path)


def masks_without_pictures() -> None:
    make_scenes(Path("data"))
    for path in Path("data/images").iterdir():
        path.unlink()


def a_table(text: str) -> Make:
    return lambda: Path("data.csv").write_text(text)


DATA = [
    (None, "gone", 1, "There is no folder or file gone."),
    (None, "./gone/photos", 1, "./gone/photos does not exist: give a folder of pictures, a .csv or an .npz file, CO"),
    (None, "fashion-mnst", 1, "There is no folder or file fashion-mnst. Unknown data set 'fashion-mnst'. Did you mean"),
    (lambda: Path("data").mkdir(), "data", 1, "data is empty: put the pictures of each class into a folder of its own"),
    (one_class, "data", 1, "data has only one class (cat): a classifier needs pictures of two classes or more."),
    (
        single_picture,
        "data",
        1,
        "data: 1 class has a single picture (dog), which leaves none to check the training with",
    ),
    (
        loose_pictures,
        "data",
        1,
        "data holds 2 pictures but no class folders: put the pictures of each class into a folder",
    ),
    (
        misspelt_split,
        "data",
        1,
        "data has splits, but the folder vall is no split (train, val, test). Did you mean val?",
    ),
    (all_broken, "data", 1, "data: none of the first 64 pictures can be opened. Check the files."),
    (
        masks_of_another_size,
        "data",
        1,
        "data has no picture with a usable mask of the same name and size. The first of 10",
    ),
    (
        masks_without_pictures,
        "data",
        1,
        "data has no picture with a usable mask of the same name and size. The first of 10",
    ),
    (masks_of_one_class, "data", 1, "data: the masks hold only class 0: a segmenter needs two classes or more"),
    (lambda: Path("data.txt").write_text("x"), "data.txt", 1, "data.txt is no data set: give a folder of pictures"),
    (lambda: picture("one.png"), "one.png", 1, "one.png is one picture: give the folder that holds the class folders."),
    (
        a_table(""),
        "data.csv",
        1,
        "data.csv has no column path: its first line must name the columns, such as path,label",
    ),
    (a_table("path,label\ngone.png,cat\n"), "data.csv", 1, "data.csv: none of its 1 rows can be used;"),
    (lambda: Path("data.npz").write_bytes(b"PK nonsense"), "data.npz", 1, "data.npz is no readable .npz file"),
    (None, "mnist", 1, "mnist is not on this machine. Run `pellucid datasets --fetch mnist` (12 MB)"),
    (None, "mnist:gone", 1, "gone is no folder."),
]


def check_refusal(answer: Answer, code: int, said: str, before: dict[str, bytes]) -> None:
    assert answer.out == ""
    lines = answer.err.splitlines()
    assert len(lines) == 1, answer.err
    assert lines[0].startswith(f"pellucid: {said}"), lines[0]
    assert answer.code == code
    assert everything(Path()) == before  # nothing was made, changed or removed
    assert not Path("runs").exists()


@pytest.mark.parametrize(("make", "data", "code", "said"), DATA, ids=[f"{row[1]}-{n}" for n, row in enumerate(DATA)])
def test_data_that_cannot_be_used(ask: Ask, make: Make | None, data: str, code: int, said: str) -> None:
    if make:
        make()
    before = everything(Path())
    check_refusal(ask("train", data, *SHORT), code, said, before)


def test_broken_pictures_are_counted_or_refused(ask: Ask) -> None:
    some_broken()
    before = everything(Path())
    said = "data: 4 of 30 pictures cannot be used. The first: data/red/0.png is empty"
    check_refusal(ask("train", "data", "--strict", *SHORT), 1, said, before)
    answer = ask("train", "data", *SHORT)
    assert answer.code == 0
    counts = re.search(r"(\d+) train / (\d+) val / (\d+) test", answer.err)
    assert counts and sum(map(int, counts.groups())) == 26
    warned = [line for line in answer.err.splitlines() if line.startswith("WARN")]
    assert [re.findall(r"(\w+-?\w*-?\w*), the first of them (\S+):", line)[0] for line in warned] == [
        ("empty", "red/0.png"),
        ("not-an-image", "red/1.png"),
        ("damaged", "red/2.png"),
        ("too-large", "red/3.png"),
    ]
    assert "2,500,000,000 pixels" in warned[3]
    page = Path("runs/data-convnet/report.html").read_text()
    assert "In all: 1 empty, 1 not-an-image, 1 damaged, 1 too-large." in page


def test_a_split_without_pictures_is_named(ask: Ask) -> None:
    split_without_pictures()
    answer = ask("train", "data", *SHORT)
    assert answer.code == 0
    assert "WARN skipped-records: 1 left out as empty-split, the first of them val" in answer.err


TRAIN = [
    ([], 2, "train needs DATA: a folder, a .csv or .npz file, or a name from `pellucid datasets`."),
    (
        ["--epochs", "3", "PHOTOS"],
        2,
        "train needs DATA: a folder, a .csv or .npz file, or a name from `pellucid datasets` (DATA comes first; found",
    ),
    (["PHOTOS", "--epoch", "3"], 2, "Unknown option --epoch. Did you mean --epochs"),
    (["PHOTOS", "--overwite"], 2, "Unknown option --overwite. Did you mean --overwrite"),
    (["PHOTOS", "--learning-rate", "3"], 2, "Unknown option --learning-rate."),
    (["PHOTOS", "--epochs"], 2, "--epochs needs 1 value(s)."),
    (["PHOTOS", "--epochs", "many"], 2, "--epochs needs a whole number, got 'many'."),
    (["PHOTOS", "--lr", "fast"], 2, "--lr needs a number, got 'fast'."),
    (["PHOTOS", "--lr", "inf"], 2, "lr must be a finite number, got inf."),
    (["PHOTOS", "--lr", "nan"], 2, "lr must be 0 (automatic) or positive, got nan."),
    (["PHOTOS", "--threads", "100000"], 2, "threads must be from 0 (automatic) to 512, got 100000."),
    (["PHOTOS", "--milestones", "1.5"], 2, "--milestones cannot be ['1.5']."),
    (["PHOTOS", "--no-epochs"], 2, "Unknown option --no-epochs. Did you mean --epochs"),
    (["PHOTOS", "--val-fraction", "0", "--patience", "2"], 2, "--patience: a validation split is needed, and there is"),
    (["PHOTOS", "--epochs", "0"], 2, "epochs must be 1 or more, got 0."),
    (["PHOTOS", "--lr=-1"], 2, "lr must be 0 (automatic) or positive, got -1.0."),
    (["PHOTOS", "--val-fraction", "0.6", "--test-fraction", "0.5"], 2, "val_fraction + test_fraction must be below 1"),
    (["PHOTOS", "--fraction", "0"], 2, "fraction must be in (0, 1], got 0.0."),
    (
        ["PHOTOS", "--fit", "cut"],
        2,
        "--fit cannot be 'cut': use one of 'auto', 'crop', 'pad', 'stretch', 'short-side', 'own'.",
    ),
    (["PHOTOS", "--image-size", "big"], 2, "An image size is N or HxW with numbers from 1 to 8192, got 'big'."),
    (["PHOTOS", "--background", "1", "2"], 2, "--background needs 3 value(s)."),
    (["PHOTOS", "--background", "1", "2", "x"], 2, "--background cannot be ['1', '2', 'x']."),
    (["PHOTOS", "--background", "1", "2", "300"], 2, "background must be three numbers from 0 to 255"),
    (["PHOTOS", "--preprocess", "centred"], 2, "Unknown preprocessing 'centred'. Did you mean 'centre'?"),
    (["PHOTOS", "--optimiser", "adamax"], 2, "Unknown optimiser 'adamax'. Did you mean"),
    (["PHOTOS", "--schedule", "cosin"], 2, "Unknown schedule 'cosin'. Did you mean 'cosine'"),
    (
        ["PHOTOS", "--model", "resnet9000"],
        2,
        "Unknown model of classify 'resnet9000'. Did you mean 'resnet50' or 'resnet20'?",
    ),
    (
        ["PHOTOS", "--model", "fcn_small"],
        2,
        "--model fcn_small is one of --task segment, and this data is for --",
    ),
    (["PHOTOS", "--metric", "accurcy"], 2, "Unknown metric of classify 'accurcy'. Did you mean 'accuracy'"),
    (["PHOTOS", "--task", "clasify"], 2, "Unknown task 'clasify'. Did you mean 'classify'?"),
    (["PHOTOS", "--task", "segment"], 1, "photos has no masks, so nothing can be segmented. It fits --task classify."),
    (
        ["PHOTOS", "--balance", "--class-weights", "1", "2", "3"],
        2,
        "Give either --balance or --class-weights, not both.",
    ),
    (
        ["PHOTOS", "--class-weights", "1", "2"],
        2,
        "class_weights needs one number for each of the 3 classes (blue, green,",
    ),
    (["PHOTOS", "--device", "cuda:99"], 1, "Device 'cuda:99' is not there ("),
    (["PHOTOS", "--device", "gpu"], 1, "Unknown device 'gpu': use auto, cpu, cuda, cuda:N or mps."),
    (["PHOTOS", "--precision", "fp8"], 2, "--precision cannot be 'fp8': use one of 'auto', 'fp32', 'bf16'."),
    (
        ["PHOTOS", "--group", "folder"],
        1,
        "PHOTOS: group=folder would put each class as a whole on one side of the split",
    ),
    (["PHOTOS", "more"], 2, "more means nothing here. `pellucid train --help` lists all."),
    (["PHOTOS", "-x"], 2, "-x means nothing here. `pellucid train --help` lists all."),
    (["PHOTOS", "--config", "gone.toml"], 2, "No config file gone.toml. Every run folder holds one: config.toml."),
    (["PHOTOS", "--config", "wrong.toml"], 2, "wrong.toml: Unknown setting in [train] 'epoch'. Did you mean 'epochs'"),
    (["PHOTOS", "--config", "broken.toml"], 2, "broken.toml is no valid TOML: "),
    (
        ["PHOTOS", "--out", "RUN"],
        1,
        "RUN exists already. Choose another --out, go on with --resume RUN, or say --overwrite.",
    ),
    (["PHOTOS", "--out", "wrong.toml"], 1, "wrong.toml is a file; --out needs a folder that is new or empty."),
    (
        ["PHOTOS", "--out", "wrong.toml/run"],
        1,
        "Cannot write wrong.toml/run: a part of the path is a file. Nothing was",
    ),
    (
        ["PHOTOS", "--out", "mine", "--overwrite"],
        1,
        "mine holds something that is no run. Choose another --out; nothing",
    ),
    (["--resume", "gone"], 1, "gone is no run folder: it does not exist."),
    (["--resume", "mine"], 1, "mine is no run folder: it has no config.toml."),
    (
        ["--resume", "RUN", "--epochs", "9"],
        2,
        "Resuming RUN cannot change its settings (epochs 2 -> 9), since the result",
    ),
    (["--resume", "RUN", "--config", "other.toml"], 2, "Resuming RUN cannot change its settings (seed 0 -> 5)"),
    (["--resume", "RUN", "--out", "new"], 2, "--resume goes on with a run as it was begun, and takes no --out."),
    (["--resume", "RUN", "--overwrite"], 2, "--resume goes on with a run as it was begun, and takes no --overwrite."),
    (["--resume"], 2, "Argument --resume: expected one argument. Usage: pellucid train DATA [options] [settings]"),
]
OTHERS = [
    (["trian"], 2, "Unknown command 'trian'. Did you mean 'train'?"),
    (["evaluate"], 2, "The following arguments are required: RUN. Usage: pellucid evaluate"),
    (["evaluate", "gone"], 1, "gone is no run folder: it does not exist."),
    (["evaluate", "RUN", "--split", "tset"], 2, "Unknown split 'tset'. Did you mean 'test'?"),
    (["evaluate", "RUN", "gone"], 1, "There is no folder or file gone."),
    (["evaluate", "RUN", "--sprit", "val"], 2, "Unknown option --sprit. Did you mean --split or --soup?"),
    (["evaluate", "RUN", "--device", "cuda:99"], 1, "Device 'cuda:99' is not there ("),
    (["evaluate", "RUN/model.safetensors"], 1, "RUN/model.safetensors is a file, not a run folder. A weights file can"),
    (["predict", "RUN"], 2, "The following arguments are required: IMAGES. Usage: pellucid predict"),
    (["predict", "gone", "x.png"], 1, "gone does not exist. Give a run folder or a model.safetensors file; "),
    (["predict", "mine", "x.png"], 1, "mine has no model.safetensors yet: its training has not finished an epoch"),
    (["predict", "RUN", "gone.png"], 1, "No picture gone.png: there is no such file, and it matches none."),
    (["predict", "RUN", "mine"], 1, "Folder mine holds no pictures ("),
    (["predict", "wrong.toml", "x.png"], 1, "wrong.toml is no intact safetensors file ("),
    (["predict", "RUN", "PHOTOS", "--device", "cuda:99"], 1, "Device 'cuda:99' is not there ("),
    (["verify", "gone"], 1, "gone "),
    (["verify", "mine"], 1, "mine "),
    (["report", "gone"], 1, "gone "),
    (["summary", "resnt18"], 2, "Unknown model 'resnt18'. Did you mean 'resnet18' or"),
    (["summary", "gone/run"], 1, "gone/run does not exist. Give a run folder or a model.safetensors file; "),
    (["summary", "RUN", "--n-classes", "3"], 2, "RUN is a run and has its own classes, channels and image size. "),
    (["summary", "convnet", "--n-classes", "0"], 2, "n_classes must be 1 or more, got 0."),
    (["summary", "convnet", "--n-classes", "many"], 2, "Argument --n-classes: invalid int value: 'many'."),
    (["summary", "convnet", "--channels", "2"], 2, "Argument --channels: invalid choice: 2 (choose from "),
    (["summary", "convnet", "--image-size", "0"], 2, "An image size is N or HxW with numbers from 1 to 8192, got '0'."),
    (["summary", "convnet", "--image-size", "3"], 2, "convnet halves the picture three times and needs at"),
    (["datasets", "mnits"], 2, "Unknown data set 'mnits'. Did you mean 'mnist'"),
    (["datasets", "--fetch"], 2, "--fetch needs the NAME of a data set; `pellucid datasets` lists them."),
    (["datasets", "--fetch", "mnits"], 2, "Unknown data set 'mnits'. Did you mean 'mnist'"),
    (["runs", "gone"], 1, "No folder gone. Train a first run with: pellucid train DATA"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [([*["train"], *words], code, said) for words, code, said in TRAIN] + OTHERS,
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_words_that_make_no_sense(
    ask: Ask, finished: Path, photos: Path, words: list[str], code: int, said: str
) -> None:
    shutil.copytree(finished, "RUN")
    Path("PHOTOS").symlink_to(photos)
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work")
    Path("wrong.toml").write_text("[train]\nepoch = 3\n")
    Path("broken.toml").write_text("[train\n")
    Path("other.toml").write_text("[train]\nseed = 5\n")
    before = everything(Path())
    check_refusal(ask(*words), code, said, before)


def test_data_the_model_does_not_know(ask: Ask, finished: Path) -> None:
    make_photos(Path("data"), seed=9)
    Path("data/red").rename("data/pink")
    before = everything(Path())
    said = "data has classes the model does not know (pink); the model knows blue, green, red."
    check_refusal(ask("evaluate", finished / "model.safetensors", "data"), 1, said, before)


def test_out_of_memory_is_said(ask: Ask, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")):
        monkeypatch.setattr(
            "pellucid.runs.setup.prepared.make_job", lambda *args, error=error: (_ for _ in ()).throw(error)
        )
        before = everything(Path())
        check_refusal(
            ask("train", photos, *SHORT), 1, "not enough memory. Use a smaller --batch or --image-size.", before
        )


def test_a_bug_is_not_hidden(ask: Ask, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.runs.setup.prepared.make_job", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ask("train", photos, *SHORT)


def test_what_the_system_refuses_is_said(ask: Ask, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise PermissionError(13, "Permission denied", "/somewhere")

    monkeypatch.setattr("pellucid.runs.setup.prepared.make_job", refuse)
    answer = ask("train", photos, *SHORT)
    assert answer == Answer(1, "", "pellucid: the system refused /somewhere: Permission denied.\n")

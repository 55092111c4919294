"""Whatever happens to a file of a run folder, every verb answers in one line or does its work."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small_runs import temporary_files

from pellucid.cli.main import main
from pellucid.runs.run import Run

FILES = (
    "config.toml",
    "model.safetensors",
    "metrics.jsonl",
    "timing.jsonl",
    "layers.jsonl",
    "doctor.json",
    "split.json",
    "test_openings.jsonl",
    "test.safetensors",
    "examples/outputs.safetensors",
    "examples/000.png",
    "last/step-00000004.safetensors",
)
DAMAGES: dict[str, Callable[[Path], object]] = {
    "removed": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00\x81" * 50),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "other JSON": lambda path: path.write_text('{"a": [1, 2, {"kind": "epoch"}]}\n[7]\n"x"\n'),
    "a list": lambda path: path.write_text('[{"rule": 1}, 3, null]'),
    "a folder": lambda path: [path.unlink(), path.mkdir()],
}
RARE = ("emptied", "a list", "a folder")


@pytest.fixture(scope="module")
def opened(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose test split was opened, so that all files are there."""
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("opened") / "run"))
    Run(folder).evaluate()
    return folder


@pytest.mark.parametrize(
    "damage", [pytest.param(name, marks=pytest.mark.slow) if name in RARE else name for name in DAMAGES]
)
@pytest.mark.parametrize("name", FILES)
def test_no_traceback(
    opened: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, damage: str
) -> None:
    folder = Path(shutil.copytree(opened, tmp_path / "run"))
    DAMAGES[damage](folder / name)
    for words in (
        ["predict", "run", str(photos / "red" / "0.png")],
        ["verify", "run"],
        ["summary", "run"],
        ["runs", "."],
        ["report", "run"],
        ["evaluate", "run", "--split", "val"],
        ["evaluate", "run"],
        ["train", "--resume", "run"],
    ):
        if words[0] == "train":  # there is work left to do
            (folder / "report.html").unlink()
        code = main(words)
        said = capsys.readouterr().err.splitlines()
        refusals = [line for line in said if line.startswith("pellucid: ")]
        assert code in (0, 1, 2), (words, said)
        assert "Traceback" not in "".join(said)
        if code == 0:
            assert not refusals, words
        elif words[0] != "verify":  # which says what failed on standard output
            assert len(refusals) == 1, (words, said)
            assert str(folder.name) in refusals[0], refusals
    assert not temporary_files(folder)

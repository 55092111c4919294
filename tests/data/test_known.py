"""The table of named sets: what each is, that its content is what was published, and what is said when it is not."""

import lzma
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from make_fashion_mini import choose_rows

from pellucid.core.errors import ConfigError, DataError
from pellucid.data.assets import fashion_mini
from pellucid.data.known import KNOWN, cache_folder, download
from pellucid.data.known.record import Known, assemble, content_digest
from pellucid.data.load import load
from pellucid.data.source import Source

FULL = KNOWN["fashion-mnist"].places[0]
BUILT_IN = ("fashion-mnist-mini", "digits", "scenes")


@pytest.fixture(scope="module")
def loaded() -> dict[str, Source]:
    return {name: KNOWN[name].load() for name in BUILT_IN}


def made_up(**changes: object) -> Known:
    """A known set of six 2x2 pictures; what it reads can be tampered with."""
    images = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
    labels = np.array([0, 1, 0, 1, 1, 0])
    known = replace(
        KNOWN["fashion-mnist-mini"],
        name="made-up",
        card=replace(KNOWN["digits"].card, digest=""),
        classes=("a", "b"),
        shape=(2, 2, 1),
        counts={"train": 4, "test": 2},
        read=lambda known, _: assemble(known, {"train": (images[:4], labels[:4]), "test": (images[4:], labels[4:])}),
    )
    return replace(known, **changes)


def test_the_table_is_keyed_by_name_and_every_card_is_filled_in() -> None:
    assert list(KNOWN) == [
        "fashion-mnist-mini",
        "fashion-mnist",
        "mnist",
        "cifar10",
        "cifar100",
        "digits",
        "nuclei",
        "scenes",
    ]
    for name, known in KNOWN.items():
        assert known.name == name
        assert known.card.title and known.card.licence and known.card.origin and known.how_to_get.endswith(".")
        assert len(known.shape) == 3 and sum(known.counts.values()) > 0
        assert all(remote.url.startswith("https://") and remote.max_bytes > 0 for remote in known.remotes)
    for name in ("fashion-mnist-mini", "fashion-mnist", "digits"):
        assert re.fullmatch("[0-9a-f]{64}", KNOWN[name].card.digest)
    for name in ("mnist", "cifar10", "cifar100"):
        assert KNOWN[name].card.digest == "" and "not verified" in KNOWN[name].card.origin


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_set_that_needs_no_files_loads_and_is_what_its_entry_says(name: str, loaded: dict[str, Source]) -> None:
    source, known = loaded[name], KNOWN[name]
    images = np.asarray(source.images)
    assert source.name == name and source.classes == known.classes and source.card == known.card
    assert images.dtype == np.uint8 and (*images.shape[1:], 1)[:3] == known.shape
    assert images.ndim == (3 if known.shape[2] == 1 else 4)
    assert len(set(source.names)) == len(source) == sum(known.counts.values())
    assert {role: int((source.roles == role).sum()) for role in known.counts} == dict(known.counts)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_set_that_needs_no_files_refuses_a_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"^{name} needs no files and takes no folder, got .*; write {name}\.$"):
        KNOWN[name].load(tmp_path)


def test_the_packaged_file_is_small_balanced_and_repeats_every_ten(loaded: dict[str, Source]) -> None:
    source = loaded["fashion-mnist-mini"]
    assert fashion_mini.FILE.stat().st_size <= 6_000_000
    assert np.array_equal(source.labels, np.arange(14_000) % 10)
    assert source.names[0] == "train/0" and source.names[12_000] == "test/0"
    assert len({image.tobytes() for image in np.asarray(source.images)}) == 14_000
    assert "Zalando" in fashion_mini.FILE.with_suffix(".LICENSE").read_text(encoding="utf-8")


@pytest.mark.skipif(not FULL.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
def test_the_packaged_part_is_what_the_rule_chooses_from_the_verified_full_set(loaded: dict[str, Source]) -> None:
    full, mini = KNOWN["fashion-mnist"].load(), loaded["fashion-mnist-mini"]
    assert full.images.shape == (70_000, 28, 28)
    assert np.array_equal(np.bincount(full.labels[full.roles == "train"]), np.full(10, 6_000))
    assert abs(full.images[:60_000].mean() / 255 - 0.2860) < 5e-5  # the mean and deviation that everyone uses
    assert abs(full.images[:60_000].std() / 255 - 0.3530) < 5e-5
    rows = 60_000 + choose_rows(full.images[60_000:], full.labels[60_000:], 2_000).T.ravel()
    assert np.array_equal(full.images[rows], mini.images[12_000:])
    assert np.array_equal(full.labels[rows], mini.labels[12_000:])


def test_a_damaged_packaged_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mini.xz"
    with pytest.raises(DataError, match=r"mini\.xz cannot be read .*: install pellucid again\.$"):
        fashion_mini.read(file)
    file.write_bytes(fashion_mini.FILE.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"mini\.xz cannot be read .*: install pellucid again\.$"):
        fashion_mini.read(file)
    file.write_bytes(lzma.compress(bytes(784)))
    with pytest.raises(DataError, match=r"mini\.xz must hold 10976000 pixels, got 784: install pellucid again\.$"):
        fashion_mini.read(file)


def test_digits_are_scaled_by_the_stated_rule(loaded: dict[str, Source]) -> None:
    from sklearn.datasets import load_digits

    original, images = load_digits().images, np.asarray(loaded["digits"].images)
    expected = {value: int(value * 255 / 16 + 0.5) for value in range(17)}
    assert expected[0] == 0 and expected[8] == 128 and expected[16] == 255
    for value, pixel in expected.items():
        assert (images[original == value] == pixel).all()
    assert loaded["digits"].names[:2] == ["0", "1"] and set(loaded["digits"].roles) == {""}


def test_content_digest_sees_pixels_labels_roles_and_shape_but_not_memory_order() -> None:
    source = made_up().load()
    digest = content_digest(source)
    assert content_digest(replace(source, images=np.asfortranarray(source.images))) == digest
    pixels = source.images.copy()
    pixels[0, 0, 0] ^= 1
    changed = [
        replace(source, images=pixels),
        replace(source, labels=1 - source.labels),
        replace(source, roles=np.full(6, "train")),
        replace(source, images=source.images.reshape(6, 1, 4)),
    ]
    assert len({digest, *map(content_digest, changed)}) == 5


def test_other_content_than_published_is_refused() -> None:
    known = made_up()
    card = replace(known.card, digest=content_digest(known.load()))
    made_up(card=card).load()
    message = (
        r"^made-up: these are not the published pictures and labels \(SHA-256 .*, not 000000000000\.\.\.\)\. It is"
    )
    with pytest.raises(DataError, match=message):
        made_up(card=replace(card, digest="0" * 64)).load()


def test_wrong_counts_shapes_and_labels_are_refused() -> None:
    with pytest.raises(DataError, match=r"^made-up: there must be 5 train pictures, got 4\.$"):
        made_up(counts={"train": 5, "test": 1}).load()
    with pytest.raises(DataError, match=r"^made-up: there must be 6 pictures, got 0\.$"):
        made_up(counts={"": 6}).load()
    with pytest.raises(DataError, match=r"^made-up: pictures must be 2x2x3, got 2x2x1\.$"):
        made_up(shape=(2, 2, 3)).load()
    with pytest.raises(DataError, match=r"^made-up: label 1 of train/1 is outside 0\.\.0 \(1 classes\)\.$"):
        made_up(classes=("a",)).load()


def test_a_set_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"^mnist is not on this machine\. Run `pellucid datasets --fetch mnist` \(12 MB"
    ):
        KNOWN["mnist"].load()
    with pytest.raises(DataError, match=r"^cifar10 is not on this machine\. .*cifar10:FOLDER.*binary version\.$"):
        KNOWN["cifar10"].load()
    nowhere = replace(KNOWN["fashion-mnist"], places=())
    with pytest.raises(
        DataError, match=r"^fashion-mnist is not on this machine\. Install Debian's package dataset-fash"
    ):
        nowhere.load()
    with pytest.raises(DataError, match=r"gone is no folder\. Run `pellucid datasets --fetch mnist`"):
        KNOWN["mnist"].load(tmp_path / "gone")


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    assert cache_folder("mnist") == tmp_path / "datasets" / "mnist"
    monkeypatch.delenv("PELLUCID_CACHE")
    assert cache_folder("mnist") == Path.home() / ".cache" / "pellucid" / "datasets" / "mnist"


def test_downloading_an_unknown_name_or_a_packaged_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^Unknown data set 'minst'\. Did you mean 'mnist'"):
        download("minst", tmp_path)
    with pytest.raises(DataError, match=r"^digits needs no files: there is nothing to fetch\.$"):
        download("digits", tmp_path)


def test_listing_the_table_imports_neither_torch_nor_scikit_learn() -> None:
    code = "import sys, pellucid.data.known, pellucid.data.splits; print({'torch', 'sklearn'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "set()"


def test_a_source_shows_itself_in_one_line() -> None:
    shown = repr(load("fashion-mnist-mini"))
    assert shown == "<fashion-mnist-mini: 14,000 pictures (12,000 train, 2,000 test), 10 classes, for classify>"

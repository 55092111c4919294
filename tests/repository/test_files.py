"""What may lie in the repository, and what must agree across its files."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LARGEST = 6_500_000  # bytes; larger things are made by a command or fetched by the user
# A path of one machine: it means nothing on any other. Spelt so that this file does not contain one.
MACHINE_PATH = re.compile(r"(?<![\w.~*}/-])/(?:work|root|tmp|home)/\w")


def read(path: Path) -> str:
    """The text of a file; "" when it is no text."""
    content = path.read_bytes()
    return "" if b"\0" in content[:8192] else content.decode("utf-8", errors="replace")


def test_no_file_is_too_large(tracked: list[Path]) -> None:
    assert not [path for path in tracked if path.stat().st_size > LARGEST]


def test_no_machine_path_is_written_down(tracked: list[Path], root: Path) -> None:
    found = [
        f"{path.relative_to(root)}:{number}"
        for path in tracked
        for number, line in enumerate(read(path).splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert not found


@pytest.mark.parametrize("text", ["cd {}work/x", '"{}tmp/a.png"', "({}root/b)", "file={}home/me"])
def test_a_machine_path_is_seen(text: str) -> None:
    assert MACHINE_PATH.search(text.format("/"))


@pytest.mark.parametrize("text", ["docs/tmp/x", "https://a.org/work/x", "~/tmp/a", "{root}/work/x", "a /work day"])
def test_another_path_is_not_taken_for_one(text: str) -> None:
    assert not MACHINE_PATH.search(text)


def test_the_changelog_has_this_version(root: Path) -> None:
    import pellucid

    headings = re.findall(r"^## (\S+)", read(root / "CHANGELOG.md"), flags=re.MULTILINE)
    assert headings[0] == pellucid.__version__


def test_the_licence_is_the_stated_one(root: Path) -> None:
    project = tomllib.loads(read(root / "pyproject.toml"))["project"]
    text = read(root / "LICENSE")
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


@pytest.fixture
def pins(root: Path) -> dict[str, Requirement]:
    """Canonical name -> its line in constraints.txt."""
    lines = [line for line in read(root / "constraints.txt").splitlines() if line and not line.startswith("#")]
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def test_torch_is_pinned_first(pins: dict[str, Requirement]) -> None:
    assert next(iter(pins)) == "torch"


def test_every_pin_is_one_exact_public_version(pins: dict[str, Requirement]) -> None:
    """No `+cpu` or the like: such a build is on some machines only."""
    assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) for pin in pins.values())


def test_every_dependency_is_pinned_within_its_range(root: Path, pins: dict[str, Requirement]) -> None:
    project = tomllib.loads(read(root / "pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *(line for part in project["optional-dependencies"].values() for line in part)]
    for requirement in map(Requirement, wanted):
        pin = pins[canonicalize_name(requirement.name)]
        version = str(pin.specifier).removeprefix("==")
        assert requirement.specifier, f"{requirement.name} states no lowest version"
        assert requirement.specifier.contains(version), f"{pin} is outside of {requirement}"


def test_ci_runs_the_developers_command(root: Path) -> None:
    assert read(root / ".ci/run").splitlines()[-1] == "make test"
    assert "run: make test" in read(root / ".github/workflows/ci.yml")
    assert (root / ".ci/run").stat().st_mode & 0o111


def test_what_make_runs_is_there(root: Path) -> None:
    scripts = re.findall(r"\b(?:recipes|tools|benchmarks)/\w+\.py", read(root / "Makefile"))
    assert "tools/size_report.py" in scripts
    assert not [script for script in scripts if not (root / script).is_file()]

"""Every printed mistake is one, and what stands beside it is right."""

from pathlib import Path

import pytest
import write_errata

from pellucid.proof.errata.erratum import Erratum, try_version
from pellucid.proof.errata.table import ERRATA

ROOT = Path(__file__).resolve().parents[2]
ALL = [erratum for area in ERRATA.values() for erratum in area]


@pytest.mark.parametrize("erratum", ALL, ids=lambda erratum: erratum.title)
def test_the_printed_version_fails_and_the_right_one_holds(erratum: Erratum) -> None:
    printed = try_version(erratum, erratum.printed_version)
    right = try_version(erratum, erratum.right_version)
    assert not printed.holds(erratum.tolerance), f"as printed: {printed.words()}"
    assert right.holds(erratum.tolerance), f"as it should be: {right.words()}"


def test_titles_are_unique_and_words_are_sentences() -> None:
    titles = [erratum.title for erratum in ALL]
    assert len(set(titles)) == len(titles)
    assert not [erratum.title for erratum in ALL if not (erratum.printed + erratum.right).endswith(".")]


def test_the_page_is_what_would_be_written() -> None:
    assert (ROOT / "docs/errata.md").read_text(encoding="utf-8") == write_errata.page(), "run `make errata`"


def test_an_error_that_is_raised_is_an_answer() -> None:
    wrong = Erratum("t", "p.", "r.", "m", lambda version: version(), lambda: [].pop(), lambda: 0.0)
    assert try_version(wrong, wrong.printed_version).words() == "raises IndexError"
    assert not try_version(wrong, wrong.printed_version).holds(1.0)
    assert try_version(wrong, wrong.right_version).holds(1e-6)
    assert not try_version(wrong, lambda: float("nan")).holds(1e-6)

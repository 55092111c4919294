"""Write docs/errata.md: what the course notes have wrong, the printed version and the right one both tried.

python tools/write_errata.py
"""

from pathlib import Path

from pellucid.core.files import write_text
from pellucid.proof.errata.erratum import Erratum, try_version
from pellucid.proof.errata.table import ERRATA

PAGE = Path(__file__).resolve().parents[1] / "docs" / "errata.md"
INTRODUCTION = """\
# What the notes have wrong

Five sets of course notes were worked through line by line. Where they print something that is not so, the printed
version and the right one were both tried; the last line of each entry is what came out. `make errata` writes this page;
`tests/proof/test_errata.py` fails when a printed version should hold, or a right one should not."""


def entry(erratum: Erratum) -> str:
    printed, right = (try_version(erratum, version) for version in (erratum.printed_version, erratum.right_version))
    return "\n".join(
        [
            f"### {erratum.title}",
            "",
            f"- Printed: {erratum.printed}",
            f"- Right: {erratum.right}",
            f"- Tried ({erratum.measure}): as printed {printed.words()}; as it should be {right.words()}",
        ]
    )


def page() -> str:
    """The whole page, from running every version."""
    parts = [INTRODUCTION]
    for area, errata in ERRATA.items():
        parts += [f"## {area}", *(entry(erratum) for erratum in errata)]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    write_text(PAGE, page())

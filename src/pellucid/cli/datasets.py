"""The verb `pellucid datasets`."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from os.path import exists  # unlike Path's, it is False for impossible names
from pathlib import Path
from typing import Any

from pellucid.cli.arguments import parser, style

USAGE = "datasets [NAME] [--fetch] [--export FOLDER] [--picture FILE]"
ABOUT = "the named data sets, and how to get those that are not here; write them, or yours, in another form"


def run(arguments: Sequence[str]) -> int:
    """Print one row a set, or all that is known of one; download, write or draw one only when asked."""
    made = parser(USAGE, ABOUT)
    made.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="tell all about one: licence, origin, checksum; with options, as scenes:size=128",
    )
    made.add_argument("--fetch", action="store_true", help="download it from its publisher, and check it")
    made.add_argument(
        "--export", type=Path, metavar="FOLDER", help="write it, or data in NAME that you have, to a new folder"
    )
    made.add_argument(
        "--as",
        dest="form",
        default="",
        metavar="FORM",
        help="how to export: coco, voc, yolo, yolo-segment, yolo-pose or csv, where things have boxes; scenes also as "
        "masks, foreground, classes or everything (default: by the labels)",
    )
    made.add_argument("--picture", type=Path, metavar="FILE", help="draw three scenes with all their labels into a PNG")
    options = made.parse_args(list(arguments))
    from pellucid.core.choose import choose
    from pellucid.core.errors import ConfigError
    from pellucid.data.known import KNOWN, download

    name = (options.name or "").partition(":")[0]
    if name and not (options.export and not options.picture and not options.fetch):
        if name not in KNOWN and exists(options.name):
            raise ConfigError(
                f"{options.name} is data of yours, no named set: `pellucid check {options.name}` looks at it, and "
                "--export FOLDER writes it to another folder, --as FORM in another form."
            )
        choose(name, KNOWN, "data set")
    for flag in ("fetch", "export", "picture"):
        if getattr(options, flag) and not name:
            raise ConfigError(f"--{flag} needs the NAME of a data set; `pellucid datasets` lists them.")
    if options.form and not options.export:
        raise ConfigError("--as says how to write a data set: add --export FOLDER.")
    if options.fetch:
        from pellucid.core.progress import make_progress

        download(name, progress=make_progress(style(options)))
    if options.export or options.picture:
        _write(options)
    else:
        _tell(options)
    return 0


def _tell(options: argparse.Namespace) -> None:
    """Print what is known of one set or of all."""
    from pellucid.cli.output import print_json, print_table
    from pellucid.data.known import KNOWN

    rows = [_about(name) for name in ([options.name] if options.name else KNOWN)]
    if options.json:
        print_json(rows)
    elif options.quiet:
        pass
    elif options.name:
        print(
            "\n".join(
                f"{key:<15}{'yes' if value is True else 'no' if value is False else value}"
                for key, value in rows[0].items()
            )
        )
    else:
        print_table([{key: row[key] for key in ("name", "classes", "pictures", "size", "here")} for row in rows])
        print("\n`pellucid datasets NAME` tells licence, origin, checksum, and how to get one that is not here.")


def _about(name: str) -> dict[str, Any]:
    import numpy as np

    from pellucid.data.known import KNOWN
    from pellucid.data.known.record import content_digest
    from pellucid.data.load import load

    word, colon, rest = name.partition(":")
    known = KNOWN[word]
    card, classes, size = known.card, known.classes, known.shape
    counts: Mapping[str, int] = known.counts
    if colon and rest:  # options, or the folder it lies in: what is there
        source = load(name)
        height, width, channels, *_ = (*np.asarray(source.images).shape[1:], 1)
        card, classes, size = source.card, source.classes, (height, width, channels)
        counts = Counter(np.asarray(source.roles).tolist())
        digest = content_digest(source)
    else:
        digest = card.digest
    about = {
        "name": name,
        "title": card.title,
        "classes": len(classes),
        "pictures": ", ".join(f"{count:,} {role}".strip() for role, count in counts.items()),
        "size": "x".join(map(str, size)),
        "here": bool(colon and rest) or known.is_here,
        "licence": card.licence,
        "origin": card.origin,
        "sha256": digest,
        "how to get it": known.how_to_get,
    }
    return about | ({"options": f"{word}:OPTION=VALUE,... of {known.options}"} if known.options else {})


def _write(options: argparse.Namespace) -> None:
    """Export a set, draw scenes, or both."""
    from pellucid.cli.output import print_json, print_table
    from pellucid.core.errors import ConfigError
    from pellucid.core.progress import make_progress
    from pellucid.data.scenes.options import parse
    from pellucid.data.writers.boxes_csv import TABLE
    from pellucid.data.writers.export import SCENES, export

    name, _, rest = options.name.partition(":")
    if options.picture and name != SCENES:
        raise ConfigError(f"--picture draws scenes with all their labels, which {name} has not; write {SCENES}.")
    rows, notes = [], []
    if options.export:
        notes = export(options.name, options.export, options.form, make_progress(style(options)))
    if options.picture:
        from pellucid.runs.picturing.scenes import picture_scenes

        rows = picture_scenes(parse(rest), options.picture)
    if options.json:
        print_json(
            {"folder": options.export and str(options.export), "picture": options.picture and str(options.picture)}
            | ({"notes": notes} if notes else {})
        )
    elif not options.quiet:
        if options.export:
            where = options.export / TABLE if options.form == "csv" else options.export
            print("\n".join([f"Wrote {options.name} to {options.export}: `pellucid train {where}` reads it.", *notes]))
        if options.picture:
            print_table(rows)
            print(f"\nPicture: {options.picture}")

"""The one door through which XML comes in: a tree of elements, with nothing in it that expands or points elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from pellucid.core.errors import DataError
from pellucid.data.image_file import printable
from pellucid.data.readers.detect.limited import read_limited

MAX_BYTES = 16_000_000  # annotations of one picture
DEEPEST = 16


def read_xml(path: Path) -> Element:
    """The root element of a file.

    Raises:
        DataError: it cannot be read, is too large or no XML, is nested too deeply, or has a document type, which could
            define entities that expand without end or read other files.
    """
    content = read_limited(path, MAX_BYTES, "no annotation of one picture")
    builder = TreeBuilder()
    depth = 0

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise DataError(f"{path} is nested more than {DEEPEST} deep, which no annotation is.")
        builder.start(tag, dict(attributes))

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: Any) -> None:
        raise DataError(
            f"{path} has a document type (<!DOCTYPE>), through which files attack their readers: delete it."
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise DataError(f"{path} is no XML: {printable(str(error))}.") from None
    except (LookupError, ValueError) as error:  # of encodings that Python does not have
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is no XML: {printable(str(error))}.") from None
    return builder.close()

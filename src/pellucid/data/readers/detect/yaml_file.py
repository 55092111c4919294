"""The one door through which YAML comes in: text, lists and mappings of text, and nothing that is made or run."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from pellucid.core.errors import DataError
from pellucid.data.image_file import printable
from pellucid.data.readers.detect.limited import read_limited

MAX_BYTES = 1_000_000
DEEPEST = 16


class _Plain(yaml.BaseLoader):
    """Every value is text as it stands (`no` is no False); tags make nothing; no aliases, which expand without end."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise DataError("has aliases (*name): write out what they stand for")
        self.depth += 1
        if self.depth > DEEPEST:
            raise DataError(f"is nested more than {DEEPEST} deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key.value, str)]
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise DataError(f"has the key {printable(twice)!r} twice")
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """What a file holds; all values that are neither lists nor mappings are text.

    Raises:
        DataError: it cannot be read, is too large or no YAML, has aliases or a key twice, or is nested too deeply.
    """
    content = read_limited(path, MAX_BYTES, "no description of a data set")
    try:
        loader = _Plain(content.decode("utf-8-sig"))
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except DataError as error:
        raise DataError(f"{path} {error}.") from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        told = " ".join(printable(str(error)).split())
        raise DataError(f"{path} is no YAML: {told[:200].rstrip('.')}.") from None

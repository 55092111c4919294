"""The size report counts what it says it counts. The repository's own sizes are checked by `make size`."""

from pathlib import Path

import size_report
from size_report import Size


def lines_of(text: str) -> dict[str, int]:
    return {size.where: size.value for size in size_report.functions(text, "f.py") if size.kind == "function"}


def test_a_docstring_does_not_count() -> None:
    text = 'def long():\n    """One.\n\n    Two.\n    """\n    return 1\n'
    assert lines_of(text) == {"f.py::long": 2}


def test_inner_functions_and_methods_are_measured() -> None:
    text = "class A:\n    def outer(self):\n        def inner():\n            return 1\n        return inner\n"
    assert lines_of(text) == {"f.py::outer": 4, "f.py::inner": 2}


def test_self_is_no_argument_but_stars_are() -> None:
    text = "class A:\n    def f(self, a, /, b, *c, d, **e): ...\n"
    arguments = [size.value for size in size_report.functions(text, "f.py") if size.kind == "arguments"]
    assert arguments == [5]


def test_the_limit_itself_is_allowed_and_one_more_is_not() -> None:
    fits, large = Size("file", "a.py", 400), Size("file", "b.py", 401)
    assert size_report.over([fits, large], {}) == ([large], [])
    assert size_report.over([fits, large], {"b.py": "a reason"}) == ([], [])


def test_an_exception_that_nothing_needs_is_reported() -> None:
    assert size_report.over([Size("file", "a.py", 400)], {"a.py": "a reason"}) == ([], ["a.py"])


def test_folders_recipes_and_tables_of_files(tmp_path: Path) -> None:
    for name in ("src/p/data", "src/pellucid/models/classify", "recipes"):
        (tmp_path / name).mkdir(parents=True)
        for number in range(13):
            (tmp_path / name / f"m{number}.py").write_text("x = 1\n" * 151)
    (tmp_path / "src/p/data/__init__.py").write_text("")
    large, _ = size_report.over(size_report.measure(tmp_path), {})
    assert Size("folder", "src/p/data", 13) in large
    assert {size.where for size in large if size.kind == "folder"} == {"src/p/data"}
    assert {size.kind for size in large if size.where.startswith("recipes")} == {"recipe"}


def test_the_table_names_the_largest() -> None:
    text = size_report.table([Size("file", "a.py", 10), Size("file", "b.py", 30), Size("file", "c.py", 20)])
    assert text.splitlines()[1].split() == ["file", "400", "3", "20", "30", "b.py"]

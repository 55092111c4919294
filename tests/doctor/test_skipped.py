from pellucid.data.source import Problem
from pellucid.doctor.skipped import judge_skipped


def test_nothing_skipped_says_nothing() -> None:
    assert judge_skipped([]) == []


def test_each_kind_is_counted_with_its_first() -> None:
    kinds = {"a.jpg": "unreadable", "b": "too-large", "c": "unreadable", "d": "two-labels"}
    problems = [Problem(record, kind, "cut short.") for record, kind in kinds.items()]
    found = judge_skipped(problems)
    assert [(v.rule, v.status) for v in found] == [
        ("unreadable-files", "warn"),
        ("unreadable-files", "warn"),
        ("skipped-records", "warn"),  # the file is good, what a table says of it is not
    ]
    assert found[0].evidence == "2 left out as unreadable, the first of them a.jpg: cut short"
    assert found[1].evidence.startswith("1 left out as too-large")
    assert "--strict" in found[0].cure


def test_what_is_kept_is_not_said_to_be_left_out() -> None:
    (found,) = judge_skipped([Problem("a.xml", "begins-at-zero", "3 boxes begin at 0")])
    assert found.evidence == "1 kept, but marked begins-at-zero, the first of them a.xml: 3 boxes begin at 0"
    assert found.cause == "a tool that counts pixels from 0, where VOC counts from 1"

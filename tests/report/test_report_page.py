"""The page as a whole: valid, self-contained, escaped, the same every time, readable in light and dark."""

import re
import runpy
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.core.verdict import Verdict
from pellucid.plots.curves import curves
from pellucid.report.blocks import (
    Bar,
    Code,
    Facts,
    Figure,
    Legend,
    Matrix,
    Note,
    Number,
    Picture,
    Pictures,
    Section,
    Table,
    Verdicts,
)
from pellucid.report.page import FOLDER, TEMPLATES, page

VOID = {"meta", "link", "img", "br", "hr", "input"}
DEMO = runpy.run_path(str(Path(__file__).with_name("demo_page.py")))
EVIL = "<script>alert(1)</script>&\"'><img src=x onerror=y>"
CHINESE = "猫和狗 🐈‍⬛"


class Reader(HTMLParser):
    """Collects text and tags, and fails on tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def attributes(self, tag: str, name: str) -> list[str]:
        return [str(attrs[name]) for found, attrs in self.tags if found == tag and name in attrs]


def every_block(name: str) -> list:
    """One block of each kind, with `name` wherever a user's words can stand."""
    drawing = curves({name: ([1, 2], [1, 2])}, name, name, name)
    tiny = Image.new("L", (8, 8), 77)
    return [
        Figure(drawing, name),
        Pictures([Picture(tiny, name, "bad", name), Picture(tiny)], name),
        Table((name, "n"), [(name, 1), (name, Bar(0.5, text=name))], note=name, title=name),
        Verdicts([Verdict(name, "fail", name, name, name)], name),
        Facts([(name, name, name), (name, 3)], name),
        Legend([(name, (1, 2, 3))], name),
        Matrix([[3, 1], [0, 2]], [name, "b"], [name, "b"], name, name, name),
        Code(name, name),
        Note(name, "good"),
    ]


def whole(name: str) -> str:
    return page(name, name, [Number(name, name, name)], [Section(name, name, every_block(name))], name)


@pytest.fixture(scope="module", params=["usual", "odd", "evil", "chinese", "bare"])
def html(request) -> str:
    if request.param == "usual":
        return DEMO["demo"]()
    if request.param == "odd":
        return DEMO["demo"](DEMO["ODD_CLASSES"], EVIL)
    return {"evil": lambda: whole(EVIL), "chinese": lambda: whole(CHINESE), "bare": lambda: page("t", "", [], [])}[
        request.param
    ]()


def test_tags_match_and_ids_are_unique(html):
    reader = Reader(html)
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [href.removeprefix("#") for href in reader.attributes("a", "href")]
    assert set(links) <= set(ids)
    assert [tag for tag, _ in reader.tags].count("h1") == 1


def test_nothing_is_fetched(html):
    reader = Reader(html)
    for _, attrs in reader.tags:
        for name, value in attrs.items():
            if name in ("src", "href"):
                assert value.startswith(("data:image/", "#")), value
            assert not name.startswith("on")
            assert "http" not in (value or "") or name in ("xmlns", "http-equiv")
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in reader.tags}
    style = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert "url(" not in style and "@import" not in style and "http" not in style
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert policy in reader.attributes("meta", "content")


def test_every_picture_has_a_text(html):
    for tag, attrs in Reader(html).tags:
        if tag == "img":
            assert attrs["alt"]
        if tag == "svg":
            assert attrs["role"] == "img" and attrs["aria-label"]


def test_size(html):
    assert len(html.encode()) < 400_000


def test_words_arrive_as_they_were_written():
    for name in (EVIL, CHINESE):
        reader = Reader(whole(name))
        assert reader.text.count(name) >= 25  # every place a name can stand in, so none is escaped twice
        assert "alert" not in str([tag for tag, _ in reader.tags])


def test_every_kind_of_block_has_its_template():
    assert {type(block) for block in every_block("a")} == set(TEMPLATES)
    assert all((FOLDER / name).is_file() for name in TEMPLATES.values())


def test_the_same_content_gives_the_same_bytes():
    assert DEMO["demo"]() == DEMO["demo"]()


EMPTY = [
    Figure("", "caption"),
    Pictures([], "title"),
    Table(("a",), [], title="title"),
    Verdicts([], "title"),
    Facts([], "title"),
    Legend([], "title"),
    Matrix(np.zeros((2, 2)), ["a", "b"], ["a", "b"], "title"),
    Matrix(np.zeros((0, 0)), [], [], "title"),
    Code(" \n", "title"),
    Note(" "),
]


def test_sections_without_content_are_left_out():
    text = Reader(page("t", "", [], [Section("Gone", "never seen", EMPTY), Section("Void")])).text
    assert "Gone" not in text and "never seen" not in text and "Void" not in text


def test_empty_blocks_are_left_out_of_full_sections():
    text = Reader(page("t", "", [], [Section("Here", "", [*EMPTY, Note("said")])])).text
    assert "said" in text and "title" not in text and "caption" not in text


def test_a_section_may_be_words_alone():
    reader = Reader(page("t", "one\n\ntwo", [], [Section("Words", "three\n\n\nfour")]))
    paragraphs = [attrs.get("class") for tag, attrs in reader.tags if tag == "p"]
    assert paragraphs == ["lead", "lead", "prose", "prose"]


def test_contents_follow_the_sections():
    sections = [Section("Result & more", "x"), Section("Result, more", "y"), Section("结果", "z")]
    reader = Reader(page("t", "", [], sections))
    assert reader.attributes("a", "href") == ["#report", "#result-more", "#result-more-2", "#section"]
    assert reader.attributes("section", "id") == ["result-more", "result-more-2", "section"]


def test_one_section_needs_no_contents():
    assert "nav" not in [tag for tag, _ in Reader(page("t", "", [], [Section("One", "x")])).tags]


def test_names_that_are_no_unicode_can_be_written(tmp_path):
    name = b"caf\xe9\x00.png".decode("utf-8", "surrogateescape")
    html = page(name, "", [], [Section("s", "", [Table(("f",), [(name,)])])])
    (tmp_path / "report.html").write_text(html, encoding="utf-8")
    assert "caf\ufffd\ufffd.png" in html


def test_figures_that_follow_each_other_share_a_frame():
    a = Figure(curves({"a": ([1, 2], [1, 2])}, "A"))
    html = page("t", "", [], [Section("s", "", [a, a, Note("between"), a])])
    assert html.count('<div class="figures">') == 2 and html.count("<figure>") == 3


def test_worst_findings_come_first():
    found = [Verdict(status, status, f"{status} seen") for status in ("pass", "info", "fail", "warn")]
    text = Reader(page("t", "", [], [Section("s", "", [Verdicts(found)])])).text
    order = [text.index(f"{status} seen") for status in ("fail", "warn", "info", "pass")]
    assert order == sorted(order)
    assert all(word in text for word in ("Failed", "Warning", "Note", "Passed"))


def test_code_is_kept_to_the_letter():
    code = "  a = 1\n\tb <- 'x' & y\n\n  c"
    assert code in Reader(page("t", "", [], [Section("s", "", [Code(code)])])).text


def luminance(rgb: np.ndarray) -> float:
    """WCAG 2.2, relative luminance."""
    s = rgb / 255
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a: np.ndarray, b: np.ndarray) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(params=["light", "dark"])
def theme(request) -> dict[str, np.ndarray]:
    css = (FOLDER / "page.css").read_text(encoding="utf-8")
    roots = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    colours: dict[str, np.ndarray] = {}
    for root in roots[: 1 if request.param == "light" else 2]:
        for name, value in re.findall(r"--([\w-]+): #(\w{6});", root):
            colours[name] = np.array(list(bytes.fromhex(value)), dtype=float)
        for name, value in re.findall(r"--([\w-]+): (\d+ \d+ \d+);", root):
            colours[name] = np.array(value.split(), dtype=float)
    return colours


def test_text_can_be_read(theme):
    for paper in (theme["paper"], theme["raised"]):
        assert contrast(theme["ink"], paper) >= 7
        for name in ("soft", "accent", "good", "bad", "warn"):
            assert contrast(theme[name], paper) >= 4.5, name
    assert contrast(0.72 * theme["ink"] + 0.28 * theme["paper"], theme["paper"]) >= 4.5  # `.soft` in drawings


def test_lines_can_be_seen(theme):
    for k in range(1, 7):
        assert contrast(theme[f"series-{k}"], theme["paper"]) >= 3, k


def test_the_darkest_cells_can_be_read(theme):
    css = (FOLDER / "page.css").read_text(encoding="utf-8")
    strengths = re.findall(r"var\(--([a-z-]+)\) / calc\((\.\d+) \+ (\.\d+) \* var\(--shade\)\)", css)
    assert len(strengths) == 2
    for name, least, more in strengths:
        most = float(least) + float(more)
        cell = most * theme[name] + (1 - most) * theme["paper"]
        assert contrast(theme["ink"], cell) >= 4.5, name


def test_verdicts_stand_by_status_and_what_can_be_typed_is_code() -> None:
    found = [Verdict(f"passed-{k}", "pass", "fine") for k in range(4)]
    found.insert(2, Verdict("bad", "fail", "a < b", "no idea", "train with --lr 0.1, or --weight-decay"))
    html = page("T", "", [], [Section("Checks", "", [Verdicts(found)])], "")
    assert "train with <code>--lr 0.1</code>, or <code>--weight-decay</code>" in html
    assert "a &lt; b" in html
    assert "<summary>4 checks passed</summary>" in html
    assert html.index("a &lt; b") < html.index("4 checks passed") < html.index("passed-0")
    few = page("T", "", [], [Section("Checks", "", [Verdicts(found[:3])])], "")
    assert "<summary>" not in few and "passed-1" in few

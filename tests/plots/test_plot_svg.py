from pellucid.plots import svg


def test_coordinates_are_short():
    assert [svg.number(v) for v in (1.0, -0.01, 2.345, 100.06)] == ["1", "0", "2.3", "100.1"]


def test_wide_letters_are_wide_and_marks_take_no_room():
    assert svg.width_of("猫猫") > svg.width_of("ab")
    assert svg.width_of("e\u0301") == svg.width_of("e")
    assert svg.width_of("") == 0


def test_shortening_fits_the_room():
    name = "a_very_long_name" * 20
    cut = svg.shorten(name, 100)
    assert cut.endswith("…") and name.startswith(cut[:-1])
    assert svg.width_of(cut) <= 100 < svg.width_of(cut[:-1] + "mm…")
    assert svg.shorten("short", 100) == "short"


def test_a_legend_wraps():
    one, low = svg.key_rows([("", "a")] * 2, 480, 0, 0)
    many, high = svg.key_rows([("", "a long name of a series")] * 9, 480, 0, 0)
    assert low == 20 and high > 40
    assert len(one) == 4 and len(many) == 18
    assert svg.key_rows([], 480, 0, 0) == ([], 0.0)


def test_negative_sizes_are_drawn_as_nothing():
    assert 'width="0"' in svg.rect(0, 0, -5, 3, "f1")


def test_a_picture_keeps_its_words_from_ending_the_markup():
    shown = svg.image(0, 1.25, 30, 40, "data:image/png;base64,AA==", 'a <b> & "c"')
    assert 'y="1.2"' in shown and 'href="data:image/png;base64,AA=="' in shown
    assert "<title>a &lt;b&gt; &amp; &quot;c&quot;</title></image>" in shown

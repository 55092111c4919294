"""A run under challenges: the clean number is evaluate's, the seed decides the rest, test is opened when asked."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_runs import QUICK, make_scenes

import pellucid
from pellucid.core.errors import ConfigError
from pellucid.core.files import read_json, read_lines
from pellucid.core.progress import Quiet
from pellucid.data.transforms.challenges.table import CHALLENGES
from pellucid.runs.comparing.challenges import challenge_run
from pellucid.runs.run import Run

FEW = {name: CHALLENGES[name] for name in ("turned", "darker", "hidden")}


def test_the_clean_number_is_evaluates_and_test_stays_closed(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    found = challenge_run(Run(folder), None, Quiet(), table=FEW)
    assert found.split == "val"
    assert found.clean == Run(folder).evaluate(split="val", progress="quiet")["accuracy"]
    assert all(each.values[0] == found.clean and each.strengths[0] == 0 for each in found.curves)
    assert [each.name for each in found.curves] == list(FEW)
    assert not read_lines(folder / "test_openings.jsonl")
    again = challenge_run(Run(folder), "val", Quiet(), table=FEW)
    assert again == found
    stored = read_json(folder / "challenges.json")
    assert stored == found.as_dict()
    assert stored["challenges"]["turned"]["strengths"] == [0.0, 10, 20, 30, 45]
    page = (folder / "challenges.html").read_text()
    assert page.count("<svg") == 3 and page.count("<image") == 15
    assert "occlusion: a grey patch in front" in page


def test_darkness_costs_a_model_of_colours_something(run_copy: Callable[[str], Path]) -> None:
    """The pictures differ by colour alone, so turning costs nothing and black costs all but the guess."""
    found = challenge_run(Run(run_copy("run")), "train", Quiet(), table=FEW)
    turned, darker, _ = found.curves
    assert turned.kept > 0.9
    assert darker.values[-1] <= found.clean


def test_naming_the_test_split_opens_it(run_copy: Callable[[str], Path]) -> None:
    folder = run_copy("run")
    challenge_run(Run(folder), "test", Quiet(), table={"darker": CHALLENGES["darker"]})
    assert len(read_lines(folder / "test_openings.jsonl")) == 1
    with pytest.raises(ConfigError, match="Unknown split 'tset'. Did you mean 'test'"):
        challenge_run(Run(folder), "tset", Quiet(), table=FEW)


def test_segmentation_moves_its_masks_along(tmp_path: Path) -> None:
    settings = {**QUICK, "model": "fcn_small", "image_size": "24"}
    run = pellucid.train(make_scenes(tmp_path / "scenes", 12), out=tmp_path / "run", progress="quiet", **settings)
    table = {name: CHALLENGES[name] for name in ("turned", "crowded", "noisy")}
    found = challenge_run(run, None, Quiet(), table=table)
    assert found.metric == "miou"
    assert found.clean == run.evaluate(split="val", progress="quiet")["miou"]
    assert all(0 <= value <= 1 for each in found.curves for value in each.values)


def test_detectors_are_asked_only_where_it_is_known_where_things_are(tmp_path: Path) -> None:
    scenes = "scenes:size=48,difficulty=easy,train=8,val=4,test=0,for=detect"
    settings = {"model": "yolo", "epochs": 1, "batch": 4, "allow_leaks": True}
    run = pellucid.train(scenes, out=tmp_path / "run", progress="quiet", **settings)
    table = {name: CHALLENGES[name] for name in ("nearer", "crowded", "noisy")}
    found = challenge_run(run, None, Quiet(), table=table)
    assert [each.name for each in found.curves] == ["nearer", "noisy"]


def test_on_the_command_line(run_copy: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, capsys) -> None:  # type: ignore[no-untyped-def]
    from pellucid.cli.main import main
    from pellucid.data.transforms.challenges import table

    for name in list(table.CHALLENGES):
        if name not in FEW:
            monkeypatch.delitem(table.CHALLENGES, name)
    folder = run_copy("run")
    assert main(["evaluate", str(folder), "--challenges"]) == 0
    said = capsys.readouterr().out
    assert "turned" in said and "10: " in said and "challenges.html" in said
    assert main(["evaluate", str(folder), "other", "--challenges"]) == 2
    assert "measured on the run's own data. Leave DATA out" in capsys.readouterr().err

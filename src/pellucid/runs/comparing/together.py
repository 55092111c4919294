"""What `pellucid evaluate` says of several runs, of several views, and of a soup: one row an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from pellucid.core.errors import ConfigError
from pellucid.core.progress import Progress
from pellucid.runs.comparing.ensemble import check_classes, mean_probabilities, measure_members, open_member
from pellucid.runs.comparing.soup import Soup, make_soup
from pellucid.runs.comparing.test_time import seen_through
from pellucid.runs.evaluate import Evaluation, find_part, log_opening, measure, warn_if_opened
from pellucid.runs.run import Run


@dataclass(frozen=True)
class Together:
    """What was measured.

    Attributes:
        rows: `model` and its numbers: each run, the mean of their answers, the soup; or a run without and with views.
        split, n_pictures: on what.
        note: what else is to be said, after a space; "" for nothing.
    """

    rows: list[dict[str, Any]]
    split: str
    n_pictures: int
    note: str = ""


def evaluate_together(
    words: Sequence[str],
    data: str | None,
    split: str | None,
    tta: str,
    soup: str | None,
    out: str | None,
    progress: Progress,
    device: str = "auto",
) -> Together:
    """Measure runs alone and together, and cook a soup of them where one is asked for.

    Args:
        words: run folders or weights files.
        data, split: as `evaluate_run` takes them; with a soup, which is chosen there, the split is validation unless
            said.
        tta: views of a picture whose answers each model averages.
        soup, out: which kind, and the file it is written to.

    Raises:
        ConfigError: what does not go together; see `evaluate_ensemble` and `make_soup`.
    """
    if bool(soup) != bool(out):
        raise ConfigError(
            "--soup needs a new file to be written to: say --out FILE.safetensors."
            if soup
            else "--out is where --soup is written to. Say --soup uniform or greedy, or leave it out."
        )
    runs = [open_member(word, device) for word in words]
    made: Soup | None = None
    if soup and out:
        made = make_soup(runs, cast(Literal["uniform", "greedy"], soup), out, progress)
        split = split if split or data else "val"
    if len(runs) == 1:
        return _views(runs[0], data, split, tta, progress)
    check_classes(runs)
    found = measure_members(runs, data, split, progress, tta)
    rows = [_row(name, each.summary) for name, each in zip(words, found, strict=True)]
    records = {**found[0].records, "probabilities": mean_probabilities(found)}
    rows.append(_row("mean of their answers", runs[0].trained.task.summarise(records, runs[0].trained.facts)))
    note = ""
    if made:
        tasted = _taste(made, runs[0], data, split, tta, progress)
        rows.append(_row(f"{soup} soup of {len(made.used)}", tasted.summary))
        note = f" Soup of {', '.join(made.used)}: {made.file}"
    return Together(rows, found[0].split, found[0].n_pictures, note)


def _views(run: Run, data: str | None, split: str | None, tta: str, progress: Progress) -> Together:
    """A run as it is, and seen through several views, in one opening."""
    answering = seen_through(run.trained, tta, str(run.folder))
    part = find_part(run, data, split, progress)
    if part.opens_test:
        warn_if_opened(run, progress)
    plain, found = measure(run, part, progress), measure(run, part, progress, answering)
    if part.opens_test:
        log_opening(run, found, f"tta {tta}")
    rows = [_row("one view", plain.summary), _row(f"mean over views: {tta}", found.summary)]
    return Together(rows, found.split, found.n_pictures)


def _taste(made: Soup, first: Run, data: str | None, split: str | None, tta: str, progress: Progress) -> Evaluation:
    return measure(
        first, find_part(first, data, split, progress), progress, seen_through(made.trained, tta, "the soup")
    )


def _row(name: str, summary: dict[str, Any]) -> dict[str, Any]:
    left_out = [each for each in summary if each.split("/")[0] == "loss"]  # a mean of probabilities has none
    numbers = {key: value for key, value in summary.items() if isinstance(value, (int, float)) and key not in left_out}
    return {"model": name, **numbers}

"""`tune`: search the settings of a task, coarse to fine."""

import contextlib
import signal
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError, Interrupted, PellucidError, Terminated
from pellucid.core.progress import Progress, Style, make_progress
from pellucid.data.load import load, spec_of
from pellucid.data.source import Source
from pellucid.doctor.gate import pass_gate
from pellucid.runs.searching import folder as files
from pellucid.runs.searching.finish import finish
from pellucid.runs.searching.folder import Begun, Told, read_beginning, write_beginning
from pellucid.runs.searching.options import NAMES, TuneKeywords, TuneOptions, refuse_other_stages
from pellucid.runs.searching.study import Study
from pellucid.runs.searching.telling import Teller
from pellucid.runs.searching.trial import Trainer, decided
from pellucid.runs.searching.usual import usual_space
from pellucid.runs.searching.workers import require_parent, working
from pellucid.runs.setup.asked import read_asked
from pellucid.runs.setup.assemble import check_names, data_line, settle_device
from pellucid.runs.setup.prepared import prepare_run
from pellucid.tasks import get_task
from pellucid.training.search.grid import grid
from pellucid.training.search.notation import read_space
from pellucid.training.search.samplers import require_optuna
from pellucid.training.search.search import Search
from pellucid.training.search.space import Choice, spelled
from pellucid.training.search.stages import STAGES
from pellucid.training.search.storage.store import Store
from pellucid.training.search.tried import Order, Scored, Tried


def tune(
    data: Any = None,
    *,
    space: str | Mapping[str, Any] | None = None,
    task: str = "auto",
    out: str | Path | None = None,
    config: str | Path | None = None,
    resume: str | Path | None = None,
    progress: Style = "auto",
    **changes: Unpack[TuneKeywords],
) -> Study:
    """Search the settings of a task and return what was found.

    Args:
        data: what `pellucid.train` takes.
        space: what is searched: text such as "lr=1e-5..1e-1 log, optimiser=sgd|adamw", a mapping, or a TOML file; None
            searches the rate, the weight decay and the label smoothing. See `training.search.notation`.
        task: `classify`, `segment`, or `auto`: by the labels the data has.
        out: folder of the search; None makes `runs/<data>-tune`.
        config: a TOML file with settings that are fixed; keywords win over it.
        resume: folder of a search to go on with. Takes no other settings.
        progress: `auto`, `bar`, `lines`, `quiet` or `json`.
        changes: of the search, see `TuneOptions` (`trials=30`, `minutes=5`, `sampler="random"`, `cv=5`, `jobs=2`); and
            any setting of `pellucid.train`, which is then fixed (`model="resnet18"`).

    Raises:
        PellucidError: one of its kinds, in one line, for everything a user can cause.
    """
    shown = make_progress(progress)
    if resume is not None:
        given = {"space": space, "task": None if task == "auto" else task, "out": out, "config": config, **changes}
        refuse_beside_resume([name for name, value in given.items() if value is not None])
        return resume_search(Path(resume), shown, data)
    if data is None:
        raise ConfigError("tune needs data: a folder, a file, the name of a known set, or arrays.")
    options = TuneOptions(**{name: value for name, value in changes.items() if name in NAMES})  # type: ignore[arg-type]
    fixed = {name: value for name, value in changes.items() if name not in NAMES}
    asked = read_asked(data, task, config, fixed)
    stated = set(fixed) | set(settings.stated(type(asked.cfg), asked.content, str(config)))
    found = (asked.task, spec_of(asked.source))
    return start_search(asked.source, asked.cfg, stated, found, space, options, out, shown)


def start_search(
    source: Source,
    cfg: Any,
    stated: set[str],
    named: tuple[str, str],
    space: Any,
    options: TuneOptions,
    out: str | Path | None,
    progress: Progress,
) -> Study:
    """Begin a search on a loaded source.

    Args:
        stated: names of the settings that the user has fixed.
        named: task, and the data as text; "" for arrays in memory.
    """
    require_optuna()
    refuse_other_stages(stated)
    task = get_task(named[0])
    axes = usual_space(cfg, stated) if space is None else read_space(space, cfg)
    if isinstance(sizes := axes.get("batch"), Choice) and "auto" in sizes.options:
        raise ConfigError(
            "batch cannot be auto in a space: it is measured once. Give numbers, or fix it: --batch auto."
        )
    if options.sampler == "grid":
        grid(axes, options.stages()[0].trials)  # refuses choices that do not fit, before anything is read
    both = [name for name in axes if name in stated]
    if both:
        raise ConfigError(f"{both[0]} is both fixed and searched: leave it out of one of them.")
    for value in axes["model"].options if isinstance(axes.get("model"), Choice) else (cfg.model.model,):  # type: ignore[union-attr]
        check_names(task, settings.change(cfg, {"model": value}))
    if options.jobs > 1 and not named[1]:
        raise ConfigError(
            "--jobs needs data that other processes can read: a folder, a file or a known set, not arrays."
        )
    _, cfg = settle_device(cfg)
    cfg = _prepared(cfg, stated, options)
    own = tuple(name for name in decided(cfg) if name not in stated | set(axes))
    trainer = Trainer(task, source, cfg, Path(), options.cv, own, progress)
    splits = trainer.splits(*task.borrow(cfg))[0]
    leaks = pass_gate(splits, source, cfg.data.allow_leaks)
    if cfg.train.batch == "auto":  # measured once, so that a trial can be repeated
        ready = prepare_run(source, cfg, named[0], progress)
        trainer.cfg = cfg = settings.change(cfg, {"batch": ready.cfg.train.batch})
    where = files.create(out, source.name)
    if options.storage and "://" not in options.storage:
        options = replace(options, storage=str(Path(options.storage).absolute()))
    told = Told(named[0], named[1], files.fresh_name(where), own)
    begun = Begun(told, options, axes, cfg)
    progress.say(data_line(splits.facts))
    for verdict in leaks:
        progress.say(verdict.sentence())
    progress.say(f"Searching {spelled(axes)}.")
    better = Study(where)
    better.begun = begun
    store = Store(begun.storage(where), told.name, STAGES, better.metric.higher_is_better, create=True)
    write_beginning(where, begun)
    trainer.folder = where / files.TRIALS
    return _work(where, begun, store, trainer, progress)


def _prepared(cfg: Any, stated: set[str], options: TuneOptions) -> Any:
    """The settings of every trial: one split for all seeds, and threads that leave some for the other processes."""
    changes: dict[str, Any] = {"split_seed": cfg.train.seed} if cfg.data.split_seed < 0 else {}
    if options.jobs > 1 and "threads" not in stated:
        changes["threads"] = max(1, cfg.train.threads // options.jobs)
    return settings.change(cfg, changes)


def resume_search(folder: Path, progress: Progress, data: Any = None, parent: int = 0) -> Study:
    """Go on with a search, or take part in one that others work on.

    Args:
        data: the data again, where it was in memory.
        parent: number of the process that started this one for the same search; 0 is none.

    Raises:
        RunError: no search was begun there.
    """
    begun = read_beginning(folder)
    require_optuna()
    if data is None and not begun.told.data:
        raise ConfigError(f"{folder} searched on arrays in memory, which are not stored. Pass the data again.")
    spec = begun.told.data if data is None else data
    source = load(spec, group=begun.cfg.data.group, strict=begun.cfg.data.strict)
    _, cfg = settle_device(begun.cfg)
    task = get_task(begun.told.task)
    trainer = Trainer(task, source, cfg, folder / files.TRIALS, begun.options.cv, begun.told.own, progress)
    store = Study(folder).store
    if not parent:
        progress.say(f"Going on with {folder}: {len(store.everything())} trials are there.")
    return _work(folder, begun, store, trainer, progress, parent)


def _work(folder: Path, begun: Begun, store: Store, trainer: Trainer, progress: Progress, parent: int = 0) -> Study:
    options = begun.options
    study = Study(folder, store)
    better, metric = study.metric.higher_is_better, study.metric.name
    teller = Teller(progress, metric, options.minutes, options.jobs)

    def objective(order: Order) -> Scored:
        def tell(step: int, score: float) -> None:
            require_parent(parent)
            order.tell(step, score)

        require_parent(parent)
        return trainer(replace(order, tell=tell))

    def heard(tried: Tried) -> None:
        _tidy(folder, study)
        teller(tried, search)

    search = Search(
        store,
        begun.space,
        options.stages(),
        better,
        objective,
        options.sampler,
        options.pruner,
        begun.cfg.train.seed,
        options.minutes,
        options.cv,
        heard,
    )
    with _resumable(folder, study):
        with working(folder, 0 if parent else options.jobs - 1):
            search.run()
        if not parent:
            finish(study, trainer, progress)
    return study


def _tidy(folder: Path, study: Study) -> None:
    """Keep the weights of the best trial alone, and of those that are still being trained."""
    try:
        best = study.best.name
    except PellucidError:
        best = ""
    files.keep_weights_of(folder, best, [one.name for one in study.trials if one.state != "running"])


@contextlib.contextmanager
def _resumable(folder: Path, study: Study) -> Iterator[None]:
    """Say how to go on when a signal comes.

    Raises:
        Interrupted: in place of what training says, of Ctrl-C and of SIGTERM.
    """
    try:
        yield
    except (Interrupted, KeyboardInterrupt) as stop:
        if isinstance(stop, Interrupted):
            number = stop.exit_code - 128
        else:
            number = signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT
        name = {2: "Ctrl-C", 15: "SIGTERM"}.get(number, f"signal {number}")
        raise Interrupted(
            f"Stopped by {name}; {len(study.trials)} trials are kept. Go on with: pellucid tune --resume {folder}",
            number,
        ) from None


def refuse_beside_resume(names: list[str]) -> None:
    """Refuse what would make another search.

    Raises:
        ConfigError: something was given.
    """
    if names:
        flags = " or ".join(f"--{name.replace('_', '-')}" for name in names)
        raise ConfigError(f"--resume goes on with a search as it was begun, and takes no {flags}. Leave it out.")

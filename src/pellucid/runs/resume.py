"""Go on with a run exactly where it stopped, or say why that cannot be."""

from pathlib import Path
from typing import Any

from pellucid.core import config as settings
from pellucid.core.errors import DataError, DeviceError, PellucidError, WeightsError
from pellucid.core.facts import DataFacts
from pellucid.core.progress import Progress
from pellucid.data.load import load
from pellucid.runs.evaluate import OPENED_AGAIN
from pellucid.runs.fit import fit_again
from pellucid.runs.run import Run
from pellucid.runs.setup.assemble import make_job, settle_device
from pellucid.runs.setup.finish import finish, resumable
from pellucid.runs.setup.resume_rules import refuse_changes
from pellucid.runs.stored import folder as files
from pellucid.runs.stored.same_data import check_same_data, reload, same_facts, taken_over
from pellucid.tasks import get_task
from pellucid.training import checkpoint, loop


def resume_run(folder: Path, changes: dict[str, Any], progress: Progress, data: Any = None) -> Run:
    """Go on with a run where its newest intact checkpoint stands. A finished run is only finished off.

    Raises:
        ConfigError: `changes`, or an edited `config.toml`, would make it another run.
        DataError: the data is not what the run was started with.
        WeightsError: no checkpoint is intact, or it belongs to another run.
    """
    cfg, story = files.read_config(folder)
    refuse_changes(folder, settings.flat(cfg), settings.flat(settings.change(cfg, changes)))
    task = get_task(story.task)
    if task.fit(cfg):
        return fit_again(task, cfg, folder, story, progress, data)
    state, damaged = checkpoint.load(folder / files.LAST)
    before, facts = _about(state, folder)
    refuse_changes(
        folder, settings.flat(settings.from_dict(type(cfg), before["config"], str(folder))), settings.flat(cfg)
    )
    if data is None:
        source = reload(story, folder, cfg)
    else:
        source = load(data, group=cfg.data.group, strict=cfg.data.strict)
    try:
        device, cfg = settle_device(cfg)
    except DeviceError as error:
        raise DeviceError(
            f"{folder} was trained on {cfg.train.device}, which is not here, and goes on only there, since another "
            f"device gives other bits. Train anew with --config {folder / files.CONFIG} --device auto."
        ) from error
    files.sweep(folder)
    splits = task.make_data(cfg, source, progress, taken_over(cfg, facts))
    check_same_data(folder, splits)
    if not same_facts(splits.facts, facts):
        raise DataError(
            f"The pictures of {folder} have changed since it was started: they have other pixels, labels or classes. "
            "Restore the data, or train anew."
        )
    splits.facts = facts
    job = make_job(task, cfg, splits, folder, device, progress)
    try:
        job.load_state_dict(state)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise WeightsError(
            f"The checkpoint in {folder / files.LAST} belongs to another run ({error!r:.200})."
        ) from error
    kept = [verdict for verdict in Run(folder).verdicts if verdict.rule == OPENED_AGAIN]  # training does not know it
    job.verdicts = [verdict for verdict in job.verdicts if verdict.rule != OPENED_AGAIN] + kept
    for sentence in damaged:
        progress.say(f"Using the checkpoint before: {sentence}")
    if before["versions"] != files.versions():
        progress.say(_other_versions(before["versions"], files.versions()))
    if loop.is_finished(job) and (folder / files.REPORT).exists():
        progress.say(f"{folder} is finished; nothing was changed.")
        return Run(folder, splits=splits, source=source, device=str(device))
    progress.say(f"Resuming {folder} at step {job.step} of {job.total_steps}.")
    with resumable(folder):
        return finish(job, splits, source)


def _about(state: dict[str, Any], folder: Path) -> tuple[dict[str, Any], DataFacts]:
    """What the checkpoint says of the run it belongs to, and of its data.

    Raises:
        WeightsError: it says nothing, or not what it should.
    """
    about = state.get("about")
    try:
        if {"config", "facts", "versions"} <= about.keys():  # type: ignore[union-attr]
            return about, DataFacts.from_dict(about["facts"])  # type: ignore[return-value, index]
    except (AttributeError, KeyError, TypeError, ValueError, PellucidError):
        pass
    raise WeightsError(f"The checkpoint in {folder / files.LAST} does not say which run it belongs to.")


def _other_versions(before: dict[str, str], now: dict[str, str]) -> str:
    names = [f"{name} {before.get(name, 'none')} -> {now[name]}" for name in now if before.get(name) != now[name]]
    return f"Versions changed since the run began ({', '.join(names)}): the last digits may differ from a straight run."

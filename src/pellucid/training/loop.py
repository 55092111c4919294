"""The training loop. It knows no task and no key of a batch."""

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from pellucid.core.errors import Interrupted, NonFiniteError
from pellucid.core.files import append_line, flush_to_disk, read_lines, write_json, write_text
from pellucid.core.progress import Advance
from pellucid.core.verdict import Verdict
from pellucid.models.weights import write_weights
from pellucid.nn.precision import autocast
from pellucid.ops.memory import freed_memory_kept
from pellucid.training import checkpoint
from pellucid.training.averages.statistics import MEASURED_ON, measure_statistics
from pellucid.training.health.autopsy import examine
from pellucid.training.health.curves.recorded import CURVE_RULES, judge_curves
from pellucid.training.health.initial_loss import check_initial_loss
from pellucid.training.health.monitor.monitor import Monitor
from pellucid.training.health.monitor.speed import Speed
from pellucid.training.job import Job
from pellucid.training.scoring import evaluate
from pellucid.training.step import BadStep, StepResult, gradient_step
from pellucid.training.stop import StopRequest, listen

LOGS = ("metrics.jsonl", "timing.jsonl", "layers.jsonl")
SNAPSHOTS = "snapshots"  # a folder of weights
LOG_LINES = 1000  # at most about so many step lines in metrics.jsonl, spread evenly over the run


class Clock:
    """Started when it is made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._wall

    @property
    def cpu_seconds(self) -> float:
        return time.process_time() - self._cpu


class Halt(Exception):
    """A signal asked to stop; the state is saved and the stack unwinds to `train`."""


def train(job: Job) -> None:
    """Train to the end of the settings, from wherever `job` stands.

    After each epoch the best weights so far are in `model.safetensors`. `last/` holds the state after
    every epoch and at least every `save_seconds`. Three logs are written: `metrics.jsonl` and `layers.jsonl` (what
    the monitor saw) repeat exactly with the seed, `timing.jsonl` (seconds, CPU seconds, images a second) does not.

    Raises:
        NonFiniteError: a loss or gradient is NaN or infinite; weights, logs and verdict are on disk.
        Interrupted: SIGINT or SIGTERM; the state was saved first.
    """
    _cut_logs(job)
    saver, speed = _Saver(job), Speed()
    with listen() as request, freed_memory_kept():
        try:
            while not is_finished(job):
                _train_epoch(job, saver, request, speed)
                _end_epoch(job, request)
                saver.save()
            if request:
                raise Halt
        except Halt:
            saver.save()
            name = {2: "Ctrl-C", 15: "SIGTERM"}.get(request.signal_number, f"signal {request.signal_number}")
            raise Interrupted(
                f"Stopped by {name} at step {job.step} of {job.total_steps}; everything is saved. "
                f"Go on with: pellucid train --resume {job.folder}",
                request.signal_number,
            ) from None
    if job.monitor:
        final = job.monitor.judge_end()
        judged = {verdict.rule for verdict in final}
        job.verdicts = [verdict for verdict in job.verdicts if verdict.rule not in judged] + final
        write_verdicts(job)
    job.verdicts = [verdict for verdict in job.verdicts if verdict.rule not in CURVE_RULES]
    _tell(job, judge_curves(job))
    if job.best.should_stop:
        job.progress.say(
            f"Stopped early: no better {job.metric.name} for {job.cfg.train.patience} epochs after epoch "
            f"{(job.best.best_epoch or 0) + 1}."
        )


def is_finished(job: Job) -> bool:
    """Whether all epochs are done, or the patience is used up."""
    return job.epoch >= job.cfg.train.epochs or job.best.should_stop


def _train_epoch(job: Job, saver: "_Saver", request: StopRequest, speed: Speed) -> None:
    every = max(1, math.ceil(job.total_steps / LOG_LINES))
    step = job.task.step or gradient_step
    job.model.train()
    if job.plan:
        job.plan.enter(job.epoch)
    start, start_step = Clock(), job.step_in_epoch
    speed.pause()
    label = f"Epoch {job.epoch + 1}/{job.cfg.train.epochs}"
    with job.progress.bar(label, len(job.train)) as advance:
        for batch in job.train.epoch(job.epoch, job.step_in_epoch):
            lr = job.schedule.lr(job.step)
            try:
                with job.monitor.watching(job.step, lr) if job.monitor else nullcontext():
                    result = step(job, batch, lr)
            except BadStep as bad:
                _refuse(job, batch, bad)
            if job.step == 0:
                _tell(job, check_initial_loss(result.losses, job.task.expected_initial_loss(job.cfg, job.facts)))
            if job.monitor:
                _listen(job, job.monitor, lr, result.total, speed)
            if job.average:
                job.average.update(job.model)
            if job.step % every == 0:
                _log_step(job, result, lr)
            job.loss_sum += result.total
            job.n_losses += 1
            job.step += 1
            job.step_in_epoch += 1
            if job.step in job.schedule.snapshot_steps:
                _keep_snapshot(job)
            _show(job, advance, result, lr, start.seconds, job.step_in_epoch - start_step)
            saver.save_if_due()
            if request:
                raise Halt
    _log_time(job, "train", start, job.step_in_epoch - start_step)


def _end_epoch(job: Job, request: StopRequest) -> None:
    """Validate, log, keep the weights if they are the best so far, and move to the next epoch."""
    record: dict[str, Any] = {
        "kind": "epoch",
        "epoch": job.epoch,
        "step": job.step,
        "lr": job.schedule.lr(job.step - 1),
    }
    record["train_loss"] = job.loss_sum / max(job.n_losses, 1)
    value = loss = math.nan
    with averaged(job):
        if job.val is not None:
            summary = _validate(job, request)
            value, loss = summary[job.metric.name], summary["loss"]
            numbers = {name: number for name, number in summary.items() if isinstance(number, (int, float))}
            record.update({f"val_{name}": number for name, number in numbers.items()})
        improved = job.best.update(job.epoch, value, loss)
        # Without a validation number there is no best epoch: then the newest weights are kept.
        record["best"] = improved or job.best.best_epoch is None
        if record["best"]:
            write_weights(job.folder / "model.safetensors", plain_weights(job), {**job.about(), **_best(job, record)})
    append_line(job.folder / "metrics.jsonl", _line(record))
    job.progress.event("epoch", json.loads(_line(record)))
    job.progress.say(_epoch_sentence(job, record))
    job.schedule.epoch_end(value)
    job.epoch, job.step_in_epoch, job.loss_sum, job.n_losses = job.epoch + 1, 0, 0.0, 0


def _keep_snapshot(job: Job) -> None:
    """Keep the weights at the end of a cycle: snapshots of one run answer together (https://arxiv.org/abs/1704.00109)."""
    number = job.schedule.snapshot_steps.index(job.step) + 1
    about = {**job.about(), "snapshot": number, "step": job.step}
    write_weights(job.folder / SNAPSHOTS / f"{number}.safetensors", plain_weights(job), about)


def _validate(job: Job, request: StopRequest) -> dict[str, Any]:
    """The summary of the validation split."""
    assert job.val is not None  # the caller has looked
    start = Clock()
    batches = _until(job.val.epoch(0), request)
    summary, _ = evaluate(job.task, job.cfg, job.facts, job.model, batches, job.precision, job.device)
    _log_time(job, "val", start, len(job.val))
    return summary


def _listen(job: Job, monitor: Monitor, lr: float, loss: float, speed: Speed) -> None:
    """Log what the monitor saw of the step, and tell what alarmed it."""
    new = monitor.judge_step(job.step, lr, loss)
    if monitor.look:
        record = {"kind": "layers", "epoch": job.epoch, **monitor.look.as_record()}
        append_line(job.folder / "layers.jsonl", json.dumps(record, ensure_ascii=False))
    if new:
        _tell(job, new)
    slow = speed.step(job.step, time.perf_counter(), time.process_time())
    if slow:  # depends on the clock, so it is told, and kept in the log of times alone
        record = {"kind": slow.rule, "epoch": job.epoch, "step": job.step, **slow.as_dict()}
        append_line(job.folder / "timing.jsonl", _line(record))
        job.progress.say(slow.sentence())
        job.progress.event("verdict", slow.as_dict())


def _tell(job: Job, verdicts: list[Verdict]) -> None:
    job.verdicts += verdicts
    write_verdicts(job)
    for verdict in verdicts:
        if verdict.status != "pass":
            job.progress.say(verdict.sentence())
            job.progress.event("verdict", verdict.as_dict())


@contextmanager
def averaged(job: Job) -> Iterator[None]:
    """Within this block the model holds the averaged weights, when the run keeps an average and it has begun."""
    if job.average is None or not job.average.is_ready:
        yield
        return
    with job.average.swap(job.model):
        if job.average.measures:
            with autocast(job.device, job.precision):
                n_batches = -(-MEASURED_ON // max(job.cfg.train.batch, 1))
                measure_statistics(job.model, job.train.epoch(job.epoch), n_batches)
        yield


def plain_weights(job: Job) -> dict[str, Any]:
    """The weights under the network's own names, without the wrapper that takes batches."""
    return {name: value.detach() for name, value in job.model.net.state_dict().items()}  # type: ignore[union-attr]


def write_verdicts(job: Job) -> None:
    """Write all verdicts so far to `doctor.json`."""
    write_json(job.folder / "doctor.json", [verdict.as_dict() for verdict in job.verdicts])


class _Saver:
    """Saves when it is due. Times of saving depend on the clock; what is computed does not."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.last = time.monotonic()

    def save_if_due(self) -> None:
        if time.monotonic() - self.last >= self.job.cfg.train.save_seconds:
            self.save()

    def save(self) -> None:
        for name in LOGS:  # after a power cut the logs must not lack lines that the checkpoint has behind it
            flush_to_disk(self.job.folder / name)
        checkpoint.save(self.job.folder / "last", self.job.step, self.job.state_dict())
        self.last = time.monotonic()


def _refuse(job: Job, batch: dict[str, Any], bad: BadStep) -> None:
    verdict = examine(job, batch, bad)
    if job.monitor:
        job.verdicts = job.monitor.before_the_end(job.verdicts, verdict.rule)
    job.verdicts.append(verdict)
    write_verdicts(job)
    raise NonFiniteError(f"Training stopped: {verdict.sentence()}") from bad


def _until(batches: Any, request: StopRequest) -> Any:
    """The same batches, cut short when a signal asks to stop: validation is repeated on resume."""
    for batch in batches:
        if request:
            raise Halt
        yield batch


def _cut_logs(job: Job) -> None:
    """Drop the lines that a killed run wrote after its last save, so that resuming repeats none."""
    for name in LOGS:
        path = job.folder / name
        kept = [record for record in read_lines(path, "kind", "epoch", "step") if _before(record, job)]
        if path.exists():
            write_text(path, "".join(_line(record) + "\n" for record in kept))


def _before(record: dict[str, Any], job: Job) -> bool:
    return record["epoch"] < job.epoch if record["kind"] == "epoch" else record["step"] < job.step


def _log_step(job: Job, result: StepResult, lr: float) -> None:
    record = {"kind": "step", "epoch": job.epoch, "step": job.step, "lr": lr, "loss": result.total}
    record.update({f"loss_{name}": value for name, value in result.losses.items()} if len(result.losses) > 1 else {})
    record["gradient_norm"] = result.gradient_norm
    append_line(job.folder / "metrics.jsonl", _line(record))


def _log_time(job: Job, phase: str, clock: Clock, steps: int) -> None:
    """A line of the time log. CPU seconds are of all threads of this process, whatever else the machine does."""
    seconds = clock.seconds
    n = job.cfg.train.batch * steps if phase == "train" else job.facts.n_val
    record = {"kind": phase, "epoch": job.epoch, "step": job.step - 1, "seconds": round(seconds, 3)}
    record["cpu_seconds"] = round(clock.cpu_seconds, 3)
    record["images_per_second"] = round(min(n, job.facts.n_train if phase == "train" else n) / max(seconds, 1e-9), 1)
    append_line(job.folder / "timing.jsonl", _line(record))


def _line(record: dict[str, Any]) -> str:
    """JSON without NaN, which JSON does not have: such a value is null."""
    clean = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in record.items()}
    return json.dumps(clean, ensure_ascii=False)


def _show(job: Job, advance: Advance, result: StepResult, lr: float, seconds: float, steps: int) -> None:
    speed = steps * job.cfg.train.batch / max(seconds, 1e-9)
    metric = "" if job.best.best_value is None else f"  best {job.metric.name} {job.best.best_value:.4f}"
    advance(job.step_in_epoch, f"loss {result.total:.3f}{metric}  lr {lr:.2g}  {speed:.0f} img/s")


def _epoch_sentence(job: Job, record: dict[str, Any]) -> str:
    text = f"Epoch {job.epoch + 1}/{job.cfg.train.epochs}  train loss {record['train_loss']:.4f}"
    if job.val is not None:
        names = dict.fromkeys(("loss", job.metric.name))  # the loss may be the metric
        text += "".join(f"  val {name} {record[f'val_{name}']:.4f}" for name in names)
        text += " (best)" if record["best"] else ""
    return text


def _best(job: Job, record: dict[str, Any]) -> dict[str, Any]:
    values = {k: v for k, v in record.items() if k.startswith("val_") and isinstance(v, (int, float)) and v == v}
    return {"best_epoch": job.epoch, "metric": job.metric.name, "values": values}

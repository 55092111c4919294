"""Climbing the ladder: the rungs one after another, each with its part of the budget."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pellucid.core.errors import (
    ConfigError,
    DataError,
    Interrupted,
    NonFiniteError,
    OutOfMemory,
    WeightsError,
)
from pellucid.core.facts import DataFacts
from pellucid.core.files import read_lines
from pellucid.core.progress import Progress
from pellucid.data.source import Source
from pellucid.runs.comparing.climbing.cost import epoch_cost
from pellucid.runs.comparing.climbing.judge import describe, judge
from pellucid.runs.comparing.climbing.ledger import Ledger
from pellucid.runs.comparing.climbing.rungs import Rung, settings_for, why_not
from pellucid.runs.resume import resume_run
from pellucid.runs.run import Run
from pellucid.runs.setup.config import make_config
from pellucid.runs.stored import folder as files
from pellucid.runs.train import start
from pellucid.tasks.classify.config import ClassifyConfig

MEMBERS = "members"
RESERVE = 0.06  # of the budget, for measuring all of them in the end
MOST_EPOCHS, MOST_STEPS = 60, 6000  # of one net; of those whose place is not at the top
MEMBER_EPOCHS, MOST_MEMBERS = 15, 5  # longer trainings before more of them
OVER, LITTLE = 1.5, 0.1  # a rung is left out when one epoch is so much more than its part, and than all of the budget
LEAVES_OUT = (ConfigError, DataError, WeightsError, NonFiniteError, OutOfMemory)  # of one rung, and not of all


class _Under:
    """What the runs speak through: their bars are seen; their sentences lie in their own reports."""

    def __init__(self, shown: Progress) -> None:
        self.bar = shown.bar

    def say(self, text: str) -> None:
        """Nothing."""

    def event(self, kind: str, values: dict[str, Any]) -> None:
        """Nothing."""


class Climb:
    """Trains rungs into a folder, from wherever its ledger stands.

    Args:
        source, spec: the data, and what it was called by.
        facts: of its split.
        common: settings that all rungs share.
        rungs: what is to be climbed, from the lowest up.
    """

    def __init__(
        self,
        ledger: Ledger,
        source: Source,
        spec: str,
        facts: DataFacts,
        common: dict[str, Any],
        rungs: Sequence[Rung],
        progress: Progress,
    ) -> None:
        self.ledger, self.source, self.spec, self.facts = ledger, source, spec, facts
        self.common, self.rungs, self.progress, self.under = common, rungs, progress, _Under(progress)

    def climb(self, rung: Rung) -> None:
        """Train one rung, unless that is done; leave it out, and say why, where it cannot be.

        Raises:
            Interrupted: a signal came; what was done is kept.
        """
        facts, ledger = self.facts, self.ledger
        place = f"Rung {self.rungs.index(rung) + 1} of {len(self.rungs)}, {rung.title}"
        reason = why_not(rung, facts, facts.n_train + facts.n_val + facts.n_test, ledger.asked["budget"])
        try:
            if not reason:
                names = self._settle(rung)
                for name in names:
                    if name not in ledger.spent:
                        which = f" ({names.index(name) + 1} of {len(names)})" if len(names) > 1 else ""
                        self.progress.say(f"{place}{which} ...")
                        self._train(name, rung)
                self.progress.say(f"{place}: {self._found(names)}.")
        except LEAVES_OUT as error:
            reason = str(error).rstrip(".")
        except Interrupted as stop:
            word = str(stop).partition(";")[0]
            stop.args = (f"{word}; what was done is in {ledger.folder}. Give the same command again to go on.",)
            raise
        ledger.left_out.pop(rung.name, None)
        if reason:
            ledger.left_out[rung.name] = reason
            self.progress.say(f"{place}: left out. {reason[:1].upper()}{reason[1:]}.")
        ledger.save()

    def measure(self) -> list[Rung]:
        """Open the test split once for every rung whose row is not there yet, and add the rows.

        Returns:
            The rungs that were measured.
        """
        ledger = self.ledger
        known = {row["rung"] for row in ledger.rows}
        missing = [rung for rung in self.rungs if rung.name not in ledger.left_out and rung.name not in known]
        if not missing:
            return []
        started, wall = time.process_time(), time.perf_counter()
        runs: dict[str, Run] = {}
        folders = {rung.name: ledger.plan[rung.name]["folders"] for rung in missing}
        answers = {rung: [self._run(name, runs) for name in names] for rung, names in folders.items()}
        judged = judge(answers, ledger.folder, self.progress)
        for rung in missing:
            spent = [ledger.spent[name] for name in ledger.plan[rung.name]["folders"]]
            told = describe(answers[rung.name], ledger.plan[rung.name]["epochs"])
            ledger.rows.append(
                {
                    "rung": rung.name,
                    "what": rung.title,
                    **told,
                    "validation": judged[rung.name].validation,
                    "test": judged[rung.name].test,
                    "cpu_seconds": round(sum(each["cpu"] for each in spent), 1),
                    "wall_seconds": round(sum(each["wall"] for each in spent), 1),
                }
            )
        ledger.openings += 1
        ledger.spend("measuring", time.process_time() - started, time.perf_counter() - wall)
        return missing

    def _settle(self, rung: Rung) -> list[str]:
        """Names of the run folders of a rung; its epochs are settled here, once."""
        plan = self.ledger.plan
        if rung.name not in plan:
            if rung.is_fitted:
                plan[rung.name] = {"folders": [rung.name], "epochs": 1}
            elif rung.name in ("strong", "ensemble"):
                together = any(each.name == "ensemble" for each in self.rungs)
                n, epochs = self._epochs(rung, MOST_MEMBERS if together else 1)
                members = [f"{MEMBERS}/{number}" for number in range(n)]
                plan["strong"] = {"folders": members[:1], "epochs": epochs}
                if together:
                    plan["ensemble"] = {"folders": members, "epochs": epochs}
            else:
                plan[rung.name] = {"folders": [rung.name], "epochs": self._epochs(rung, 1)[1]}
            self.ledger.save()
        names: list[str] = plan[rung.name]["folders"]
        return names

    def _epochs(self, rung: Rung, most: int) -> tuple[int, int]:
        """How many nets, at most `most`, and how many epochs each, so that they use up the rung's part of the budget.

        Raises:
            ConfigError: not even one epoch fits.
        """
        started, wall = time.process_time(), time.perf_counter()
        cost, steps = epoch_cost(self._config(settings_for(rung, self.facts)), self.source)
        self.ledger.spend("measuring epochs", time.process_time() - started, time.perf_counter() - wall)
        allowance = self._allowance(rung)
        if cost > max(OVER * allowance, LITTLE * self.ledger.asked["budget"]):
            raise ConfigError(
                f"one epoch takes about {cost:,.1f} CPU s, and its part of the budget is {allowance:,.1f}. Use a "
                "larger --budget or a smaller --fraction"
            )
        total = allowance / cost
        if most == 1 and rung.name != "strong":
            return 1, max(1, min(round(total), MOST_EPOCHS, MOST_STEPS // steps))
        n = 1 if most == 1 else max(2, min(most, round(total / MEMBER_EPOCHS)))
        return n, max(1, min(int(total / n), MOST_EPOCHS))

    def _allowance(self, rung: Rung) -> float:
        """CPU seconds: its part of what is left, among the rungs whose epochs are still to be settled.

        What fitted rungs take is known only afterwards. They may take half of the budget from those that are trained,
        and what they take beyond that comes on top.
        """
        both = {"strong", "ensemble"}
        trained = [each for each in self.rungs if each.weight]
        waiting = [each for each in trained if each.name not in self.ledger.plan]
        mine = sum(each.weight for each in waiting if each is rung or (rung.name in both and each.name in both))
        budget = self.ledger.asked["budget"] * (1 - RESERVE)
        left = (budget - self.ledger.cpu_seconds) * mine / sum(each.weight for each in waiting)
        return float(max(left, budget / 2 * mine / sum(each.weight for each in trained)))

    def _train(self, name: str, rung: Rung) -> None:
        """Train one net or fit one model, from where its folder stands."""
        folder = self.ledger.folder / name
        settings = settings_for(rung, self.facts)
        settings["seed"] = self.common["split_seed"] + int(name.partition("/")[2] or 0)
        if not rung.is_fitted:
            settings["epochs"] = self.ledger.plan[rung.name]["epochs"]
        cpu, wall = _logged(folder)
        started, begun = time.process_time(), time.perf_counter()
        if files.is_run(folder):
            resume_run(folder, {}, self.under, self.source)
        else:
            start(self.source, self._config(settings), "classify", self.spec, self.under, folder, judged=True)
        self.ledger.spend(name, cpu + time.process_time() - started, wall + time.perf_counter() - begun)

    def _run(self, name: str, runs: dict[str, Run]) -> Run:
        """A finished run, with the data that is at hand."""
        if name not in runs:
            run = Run(self.ledger.folder / name, device=self.common["device"], source=self.source)
            run.splits = run.trained.task.make_data(run.config, self.source, self.under, run.facts.preprocess)
            runs[name] = run
        return runs[name]

    def _found(self, names: Sequence[str]) -> str:
        values = []
        for name in names:
            history = Run(self.ledger.folder / name).history
            values.append([record["val_accuracy"] for record in history if record["best"]][-1])
        cpu = sum(self.ledger.spent[name]["cpu"] for name in names)
        return f"validation accuracy {', '.join(f'{value:.2%}' for value in values)}; {cpu:,.0f} CPU s"

    def _config(self, settings: dict[str, Any]) -> Any:
        return make_config(ClassifyConfig, {}, {**self.common, **settings})


def _logged(folder: Path) -> tuple[float, float]:
    """CPU and wall seconds that a training which was stopped had taken by its last epoch."""
    lines = read_lines(folder / files.TIMING, "kind", "seconds")
    return sum(line.get("cpu_seconds", 0.0) for line in lines), sum(line["seconds"] for line in lines)

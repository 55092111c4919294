"""A verdict: what was checked, what was found, why it probably is so, and what to do."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["pass", "info", "warn", "fail"]


@dataclass(frozen=True)
class Verdict:
    """One finding of a check, as stored in `doctor.json` and shown in the report.

    Attributes:
        rule: stable id of the rule, such as `initial-loss`.
        status: `pass`, `info`, `warn` or `fail`.
        evidence: the numbers or names that were seen, in a sentence.
        cause: the likely reason; empty when the rule passed.
        cure: what to do about it; empty when there is nothing to do.
    """

    rule: str
    status: Status
    evidence: str
    cause: str = ""
    cure: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def sentence(self) -> str:
        """All of it in one line, for a terminal."""
        parts = [f"{self.status.upper()} {self.rule}: {self.evidence}"]
        parts += [f"Likely cause: {self.cause}"] if self.cause else []
        parts += [f"Do: {self.cure}"] if self.cure else []
        return " ".join(part if part.endswith((".", "!", "?")) else part + "." for part in parts)

"""A linter for architectures: traps that can be seen before the first batch. Each rule has a stable name."""

from pellucid.nn.lint.lint import RULES, lint

__all__ = ["RULES", "lint"]

"""Before training: the seven steps that tell a network that can learn from one that cannot."""

from pellucid.training.health.preflight.steps import preflight

__all__ = ["preflight"]

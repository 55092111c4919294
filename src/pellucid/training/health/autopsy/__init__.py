"""The autopsy of a step whose loss or gradient is not finite: where it began, why, and the batch to try again."""

from pellucid.training.health.autopsy.examine import FOLDER, examine
from pellucid.training.health.autopsy.replay import Replay, replay

__all__ = ["FOLDER", "Replay", "examine", "replay"]

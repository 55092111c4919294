"""Packs: every picture decoded once onto its canvas, so that later epochs only copy bytes."""

from pellucid.data.pack.make import make_pack
from pellucid.data.pack.pack import Pack

__all__ = ["Pack", "make_pack"]

"""Features of regions: each box of a map brought to one size."""

from pellucid.ops.regions.levels import box_level, on_levels, pool_levels
from pellucid.ops.regions.position_sensitive import position_sensitive_pool
from pellucid.ops.regions.roi_align import roi_align
from pellucid.ops.regions.roi_pool import roi_pool

__all__ = ["box_level", "on_levels", "pool_levels", "position_sensitive_pool", "roi_align", "roi_pool"]

"""What can be said of a network's sizes, costs and receptive fields before it has seen a picture.

Of any network: `describe` (every layer, and the sums) and `footprint` (the field of one unit, measured). As plain
functions: sizes, fields, parameters and multiply-adds of the usual layers, and which pixels dilated stacks read.
"""

from pellucid.nn.geometry.arithmetic import (
    Tap,
    asymmetric_parameters,
    bottleneck_parameters,
    conv_macs,
    conv_output_size,
    conv_parameters,
    effective_size,
    linear_parameters,
    receptive_field,
    separable_macs,
    separable_parameters,
    separable_share,
    stacked_parameters,
    transposed_output_size,
)
from pellucid.nn.geometry.coverage import (
    Coverage,
    coverage_map,
    doubling_field,
    largest_gap,
    passes_gap_rule,
    tap_coverage,
)
from pellucid.nn.geometry.describe import describe
from pellucid.nn.geometry.footprint import Footprint, footprint
from pellucid.nn.geometry.rows import Geometry, LayerRow
from pellucid.nn.geometry.sharing import Connection, connections, connections_table

__all__ = [
    "Connection",
    "Coverage",
    "Footprint",
    "Geometry",
    "LayerRow",
    "Tap",
    "asymmetric_parameters",
    "bottleneck_parameters",
    "connections",
    "connections_table",
    "conv_macs",
    "conv_output_size",
    "conv_parameters",
    "coverage_map",
    "describe",
    "doubling_field",
    "effective_size",
    "footprint",
    "largest_gap",
    "linear_parameters",
    "passes_gap_rule",
    "receptive_field",
    "separable_macs",
    "separable_parameters",
    "separable_share",
    "stacked_parameters",
    "tap_coverage",
    "transposed_output_size",
]

"""What all poolings of regions are given, and whether it fits. Letters: N pictures, C channels, R regions."""

from torch import Tensor

from pellucid.core.errors import DataError


def require_regions(features: Tensor, boxes_xyxy: Tensor, batch_index: Tensor) -> None:
    """Raises: DataError: not features (N, C, h, w), boxes (R, 4) and a picture's number (R,) for each box."""
    if features.dim() != 4 or boxes_xyxy.dim() != 2 or boxes_xyxy.shape[1] != 4:
        raise DataError(
            f"Regions need features (N, C, h, w) and boxes (R, 4), got {tuple(features.shape)} and "
            f"{tuple(boxes_xyxy.shape)}."
        )
    if batch_index.shape != (len(boxes_xyxy),) or batch_index.is_floating_point():
        raise DataError(
            f"batch_index must name the picture of each of {len(boxes_xyxy)} boxes with whole numbers, got "
            f"{batch_index.dtype} of shape {tuple(batch_index.shape)}."
        )

    if batch_index.device.type == "cpu" and len(batch_index):  # elsewhere, to look would be to wait
        low, high = (int(each) for each in batch_index.aminmax())
        if low < 0 or high >= len(features):
            raise DataError(f"batch_index names pictures 0 to {len(features) - 1}, got {low if low < 0 else high}.")


def as_pair(size: int | tuple[int, int]) -> tuple[int, int]:
    """`7` or `(7, 7)` as two numbers from 1 on: bins down and bins across.

    Raises:
        DataError: smaller than 1.
    """
    pair = (size, size) if isinstance(size, int) else size
    if min(pair) < 1:
        raise DataError(f"A region has at least one bin down and one across, got output_size {size}.")
    return pair

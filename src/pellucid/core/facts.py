"""What a model, a loss and a report need to know about the data, without the data."""

from dataclasses import dataclass
from typing import Any

from pellucid.core.preprocess import Preprocess


@dataclass(frozen=True)
class DataFacts:
    """Made once from the training split, stored inside the weights file.

    Attributes:
        task: name of the task.
        source: what the data set calls itself.
        classes: class names; class k is `classes[k]`. Background counts only where masks name it.
        class_counts: how often each class occurs in the training split (pictures, or pixels of masks).
        preprocess: from decoded picture to network input; holds size and channels.
        n_train, n_val, n_test: number of records in each split.
        split_hash: digest of the three index lists.
        zoom: how many pixels of the network's input show one pixel of a training picture: the median over the
            training split, of height and width the geometric mean. 1 in runs that were trained before it was noted.
        n_keypoints: points that are marked on each thing; 0 where things have none, or none are told apart.
        has_outlines: whether things come with masks.
        category_ids: numbers by which the data's files call the classes; () where they have none.
    """

    task: str
    source: str
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    preprocess: Preprocess
    n_train: int = 0
    n_val: int = 0
    n_test: int = 0
    split_hash: str = ""
    zoom: float = 1.0
    n_keypoints: int = 0
    has_outlines: bool = False
    category_ids: tuple[int, ...] = ()

    @property
    def n_classes(self) -> int:
        return len(self.classes)

    def as_dict(self) -> dict[str, Any]:
        return {**self.__dict__, "preprocess": self.preprocess.as_dict()}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "DataFacts":
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
        return cls(**{**values, "preprocess": Preprocess.from_dict(content["preprocess"])})

"""Every setting as a keyword of `pellucid.train`, so that editors and type checkers know them.

The settings themselves, their defaults and their meaning are the dataclasses in `data/config.py`,
`training/config.py` and the tasks; a test holds this list to them.
"""

from typing import Literal, TypedDict


class Settings(TypedDict, total=False):
    """Keyword of `pellucid.train` -> its type."""

    model: str
    mirror: bool
    weights: str
    tune: Literal["all", "last"]
    layer_decay: float
    unfreeze_epochs: int
    norm_statistics: Literal["auto", "update", "keep"]
    head: Literal["auto", "fresh", "keep"]
    similarity: Literal["auto", "high", "low"]
    autoencode_epochs: int
    features: str
    k: int
    distance: Literal["l2", "l1", "auto"]
    ties: Literal["nearest", "smallest"]
    reg: float
    folds: int
    repeats: int
    backbone: str
    proposals: int
    image_size: str
    fit: Literal["auto", "crop", "pad", "stretch", "short-side", "own"]
    colour: Literal["auto", "rgb", "grey"]
    preprocess: str
    background: tuple[int, int, int]
    val_fraction: float
    test_fraction: float
    stratify: bool
    split_seed: int
    group: str
    fraction: float
    strict: bool
    allow_leaks: bool
    flip: float
    vflip: float
    shift: float
    crop: float
    rotate: float
    shear: float
    stretch: float
    jitter: float
    noise: float
    cutout: float
    pca_colour: float
    short_side: tuple[int, int]
    zoom: tuple[float, float]
    radial: float
    blur: float
    erase: float
    mixup: float
    cutmix: float
    mosaic: float
    policy: str
    augment: bool
    label_smoothing: float
    balance: bool
    class_weights: tuple[float, ...]
    auxiliary_weight: float
    box_weight: float
    box_loss: Literal["auto", "l2", "l1", "smooth_l1", "giou"]
    mask_weight: float
    keypoint_weight: float
    loss: str
    focal_gamma: float
    dropout: float
    channel_dropout: float
    drop_connect: float
    stochastic_depth: float
    optimiser: str
    lr: float
    find_lr: bool
    momentum: float
    nesterov: bool
    weight_decay: float
    decoupled: bool
    l1: float
    clip_norm: float
    ema: float
    average: Literal["none", "ema", "polyak", "swa"]
    average_from: float
    schedule: str
    warmup_epochs: float
    milestones: tuple[int, ...]
    gamma: float
    plateau_patience: int
    power: float
    cycle_epochs: float
    cycle_growth: float
    snapshots: int
    epochs: int
    batch: int | Literal["auto"]
    accumulate: int
    seed: int
    metric: str
    patience: int
    device: str
    precision: Literal["auto", "fp32", "bf16"]
    threads: int
    deterministic: bool
    save_seconds: float
    monitor: bool
    defaults: bool

"""The verb `pellucid augment`."""

from collections.abc import Sequence
from pathlib import Path

from pellucid.cli.arguments import add_task, parser, style
from pellucid.cli.train import read_settings
from pellucid.core import config as settings
from pellucid.core.choose import choose
from pellucid.core.errors import ConfigError
from pellucid.tasks import CONFIGS

USAGE = "augment DATA [--policy F] [--save PICTURE]"
ABOUT = "draw what augmentation does to the pictures"
OPTIONS = ("quiet", "json", "task", "config", "save", "all")
PICTURE = "augmentation.png"


def run(arguments: Sequence[str]) -> int:
    """Draw training pictures as the settings would change them, and print the transforms."""
    words = list(arguments)
    made = parser(USAGE, ABOUT)
    made.usage = "pellucid augment DATA [options] [settings of train]"
    add_task(made)
    made.add_argument("--config", help="TOML file with settings, such as a run's config.toml; flags win over it")
    made.add_argument("--save", type=Path, default=Path(PICTURE), help=f"file of the picture (default {PICTURE})")
    made.add_argument("--all", action="store_true", help="every transform there is, in place of those asked for")
    data = words.pop(0) if words and not words[0].startswith("-") else None
    chosen, rest = made.parse_known_args(words)
    if chosen.task != "auto":
        choose(chosen.task, CONFIGS, "task")
    kinds = list(CONFIGS.values()) if chosen.task == "auto" else [CONFIGS[chosen.task]]
    settings.refuse_unknown_flags(kinds, rest, OPTIONS, "augment")
    if data is None:
        raise ConfigError("augment needs DATA: a folder, a .csv or .npz file, or a name from `pellucid datasets`.")
    from pellucid.cli.output import print_json, print_table
    from pellucid.core.progress import make_progress
    from pellucid.runs.picturing.augmentation import draw_augmentation

    source, cfg, task = read_settings(chosen, data, rest, "pellucid augment DATA")
    rows = draw_augmentation(source, cfg, task, chosen.save, make_progress(style(chosen)), chosen.all)
    if chosen.json:
        print_json({"picture": str(chosen.save), "transforms": rows})
    elif not chosen.quiet:
        print_table(rows)
        print(f"\nPicture: {chosen.save}")
    return 0

"""Policies: what is read, what a run keeps of it, what is refused, and that every step makes a transform."""

import pytest
import torch

from pellucid.core import config as settings
from pellucid.core.errors import ConfigError
from pellucid.core.seed import generator
from pellucid.data.config import AugmentConfig
from pellucid.data.policy.read import in_one_line, read_policy, resolve_policy
from pellucid.data.policy.steps import STEPS
from pellucid.data.transforms import CentreCrop, Compose, RandomCrop, Sometimes, build
from pellucid.data.transforms.compose import CHANCY, CUTTERS, MAKERS, MIRRORS
from pellucid.tasks.classify.config import ClassifyConfig
from pellucid.tasks.segment.config import SegmentConfig

TEXT = """
[[step]]
name = "crop"
area = [0.5, 1.0]

[[step]]
name = "flip"

[[step]]
name = "rotate"
p = 0.5
degrees = 10

[[step]]
name = "erase"
p = 0.25
fill = "mean"
"""


def test_the_example_reads_as_it_says():
    crop, flip, rotate, erase = read_policy(TEXT, "p.toml")
    assert (crop.name, crop.p, crop.parameters["area"]) == ("crop", 1.0, (0.5, 1.0))
    assert (flip.name, flip.p, flip.parameters) == ("flip", 0.5, {})
    assert (rotate.name, rotate.p, rotate.parameters) == ("rotate", 0.5, {"degrees": 10.0})
    assert erase.parameters["fill"] == "mean" and erase.parameters["area"] == (0.02, 0.4)


def test_a_run_keeps_the_text_and_needs_no_file(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(TEXT)
    augment = settings.change(ClassifyConfig(), {"policy": str(path)}).augment
    path.unlink()
    assert augment.policy == resolve_policy(augment.policy)  # read again it is the same
    assert "\n" not in augment.policy and "degrees = 10.0" in augment.policy
    again = settings.from_dict(
        ClassifyConfig,
        settings.read_toml(
            settings.to_toml(settings.change(ClassifyConfig(), {"policy": augment.policy})), "config.toml"
        ),
        "config.toml",
    )
    assert again.augment == augment
    made = build(augment, (20, 20), (24, 24), train=True)
    assert [type(step).__name__ for step in made.steps] == ["RandomCrop", "Flip", "Sometimes", "Erase"]
    assert made.steps[0] == RandomCrop((20, 20), (0.5, 1.0))
    assert made.steps[3].p == 0.25


def test_a_policy_that_cuts_nothing_begins_with_the_middle(tmp_path):
    policy = "step = [{name = 'noise', std = 3}]"
    made = build(AugmentConfig(policy=policy), (20, 20), (24, 24), train=True)
    assert made.steps[0] == CentreCrop((20, 20)) and len(made.steps) == 2
    assert len(build(AugmentConfig(policy=policy), (24, 24), (24, 24), train=True).steps) == 1
    assert build(AugmentConfig(policy=policy), (24, 24), (24, 24), train=False) is None
    assert build(AugmentConfig(policy=policy, augment=False), (24, 24), (24, 24), train=True) is None
    assert build(AugmentConfig(policy="step = []"), (24, 24), (24, 24), train=True) is None


def test_every_step_has_a_maker_and_works():
    assert set(STEPS) == {*MAKERS, *CHANCY, *MIRRORS, *CUTTERS}
    image = torch.randint(0, 256, (6, 3, 30, 30), dtype=torch.uint8, generator=generator(0, "t"))
    for name, kind in STEPS.items():
        text = f"step = [{{name = '{name}'}}]".replace("scale_crop'", "scale_crop', short_side = [28, 40]")
        made = build(AugmentConfig(policy=text), (24, 24), (30, 30), train=True)
        assert isinstance(made, Compose)
        found = made({"image": image, "label": torch.arange(6)}, generator(0, name))
        assert found["image"].shape == (6, 3, 24, 24), name
        assert ("label_mix" in found) == kind.mixes


def test_defaults_lie_in_their_ranges_and_one_line_reads_back():
    for name, kind in STEPS.items():
        for key, parameter in kind.parameters.items():
            assert parameter.read(parameter.default, key) == parameter.default, name
    text = "step = [" + ", ".join(
        f"{{name = '{name}'}}" for name, kind in STEPS.items() if not kind.cuts and not kind.mixes
    )
    steps = read_policy(text + "]", "p")
    assert read_policy(in_one_line(steps), "p") == steps


@pytest.mark.parametrize("p", [0.0, 0.4, 1.0])
def test_so_many_pictures_go_through_a_step(p):
    made = build(AugmentConfig(policy=f"step = [{{name = 'noise', p = {p}, std = 50}}]"), (8, 8), (8, 8), train=True)
    image = torch.full((1500, 1, 8, 8), 128, dtype=torch.uint8)
    found = made({"image": image}, generator(0, "t"))["image"]
    assert (found != 128).any(3).any(2).double().mean() == pytest.approx(p, abs=0.05)
    assert isinstance(made.steps[0], Sometimes) == (p < 1)


REFUSED = [
    ("[[step]]\nname = 'rotat'", "p.toml: step 1: Unknown transform 'rotat'. Did you mean 'rotate'"),
    (
        "[[step]]\nname = 'rotate'\ndegres = 3",
        "p.toml: step 1: Unknown parameter of rotate 'degres'. Did you mean 'degrees'",
    ),
    ("[[step]]\nname = 'rotate'\ndegrees = 200", "step 1: degrees of rotate must be a number from 0 to 180, got 200."),
    ("[[step]]\nname = 'rotate'\ndegrees = 'much'", "degrees of rotate must be a number from 0 to 180, got 'much'."),
    ("[[step]]\nname = 'rotate'\np = 1.5", "step 1: p of rotate must be a number from 0 to 1, got 1.5."),
    ("[[step]]\nname = 'rotate'\np = true", "p of rotate must be a number from 0 to 1, got True."),
    (
        "[[step]]\nname = 'crop'\narea = [1.0, 0.5]",
        "area of crop must be two numbers from 0.01 to 1, the smaller first",
    ),
    ("[[step]]\nname = 'crop'\np = 0.5", "Unknown parameter of crop 'p'"),
    (
        "[[step]]\nname = 'erase'\nfill = 'grey'",
        "fill of erase must be 'noise' or 'mean' or a grey from 0 to 255, got 'grey'",
    ),
    (
        "[[step]]\nname = 'flip'\n[[step]]\nname = 'crop'",
        "step 2 (crop) cuts the canvas, which the first step alone may do",
    ),
    (
        "[[step]]\nname = 'mixup'\n[[step]]\nname = 'cutmix'",
        "step 1 (mixup) mixes pictures, which the last step alone may",
    ),
    ("[[step]]\np = 0.5", "step 1 has no name: write name = one of affine"),
    ("[[steps]]\nname = 'flip'", "Unknown table 'steps'. Did you mean 'step'?"),
    ("step = 3", "step must be tables, each headed [[step]]"),
    ("step = [", "p.toml is no valid TOML"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused(text, message):
    with pytest.raises(ConfigError) as error:
        read_policy(text, "p.toml")
    assert message in str(error.value)


def test_files_that_are_none(tmp_path):
    with pytest.raises(
        ConfigError, match=r"No policy file .*missing\.toml: it holds one \[\[step\]\] table a transform"
    ):
        AugmentConfig(policy=str(tmp_path / "missing.toml"))
    with pytest.raises(ConfigError, match=r"policy must be a .toml file of \[\[step\]\] tables, got 'strong'"):
        AugmentConfig(policy="strong")


def test_a_policy_and_other_settings_are_refused_together():
    policy = "step = [{name = 'flip'}]"
    with pytest.raises(ConfigError, match="policy says all that is done, so rotate = 5.0 beside it would do nothing"):
        AugmentConfig(policy=policy, rotate=5.0)
    assert AugmentConfig(policy=policy, augment=False).mixes == ()


def test_masks_cannot_be_mixed_up():
    for values in ({"mixup": 0.2}, {"policy": "step = [{name = 'mixup'}]"}):
        assert settings.change(ClassifyConfig(), values).augment.mixes == ("mixup",)
        with pytest.raises(ConfigError, match="two classes. Use cutmix"):
            settings.change(SegmentConfig(), values)
    assert settings.change(SegmentConfig(), {"cutmix": 1.0}).augment.mixes == ("cutmix",)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"radial": 0.5}, "radial must be from 0 to 0.3, got 0.5"),
        ({"blur": -1.0}, "blur must be from 0 to 20 pixels"),
        ({"erase": 1.5}, r"erase must be in \[0, 1\]"),
        ({"mixup": 0.001}, r"mixup must be 0 \(off\) or from 0.01 to 100"),
        ({"short_side": (480, 256)}, "short_side must be two numbers of pixels, the smaller first, or 0 0"),
        ({"short_side": (256, 480), "crop": 0.5}, "short_side and crop both cut the input out of the picture"),
    ],
)
def test_settings_out_of_range(values, message):
    with pytest.raises(ConfigError, match=message):
        settings.change(ClassifyConfig(), values)

"""Rules `frozen` and `unused-parameters`: numbers that training cannot reach."""

from pellucid.core.verdict import Verdict
from pellucid.nn.lint.about import About, listed


def frozen(about: About) -> list[Verdict]:
    """Nothing left to train."""
    parameters = list(about.model.parameters())
    trainable = sum(parameter.requires_grad for parameter in parameters)
    if parameters and not trainable:
        return [
            Verdict(
                "frozen",
                "fail",
                f"none of {len(parameters)} parameters is trained",
                "requires_grad is False everywhere",
                "let at least the last layer train: layer.requires_grad_(True)",
            )
        ]
    return [Verdict("frozen", "pass", f"{trainable} of {len(parameters)} parameters are trained")]


def unused_parameters(about: About) -> list[Verdict]:
    """Layers that never run, in training either."""
    if not about.geometry.unused:
        return [Verdict("unused-parameters", "pass", "every parameter is used")]
    return [
        Verdict(
            "unused-parameters",
            "warn",
            f"{listed([name or type(about.model).__name__ for name in about.geometry.unused])}: "
            f"{about.geometry.parameters_in['unused']:,} parameters are never used",
            "the layers are made, but forward does not call them",
            "call them or take them out: they get no gradient, and cost memory in every file",
        )
    ]

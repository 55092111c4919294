"""A network of the zoo without its head, which gives the maps of all its stages.

Letters: N pictures, C channels, H x W pixels, s a stride, M feature maps, h x w cells of a map.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

PROBE = 128  # px of a picture whose maps are looked at once; every stride divides it


class Backbone(nn.Module):
    """Layers of a classifier up to its last map. Its tensors have the names that they have there.

    A map is called by the stride at which the classifier of large pictures has it: 4, 8, 16, 32, and 2 where it has
    such. Where a network halves less often than its name for a map says (the form for small pictures, or stages that
    dilate instead), the name stays and `strides` tells the true one. Sides are rounded up: a picture of H x W gives
    ceil(H / s) x ceil(W / s) cells.

    Args:
        name: of the network, in messages.
        net: the classifier; its modules are taken over, not copied.
        layout: stride -> dotted names of the layers that run after those of the stride before. What no layout names
            is left out.
        channels: C.
        notes: what was decided while building, one sentence each.

    Attributes:
        widths: stride -> M.
        strides: stride -> pixels of the picture between neighbouring cells of that map.
    """

    def __init__(
        self,
        name: str,
        net: nn.Module,
        layout: Mapping[int, tuple[str, ...]],
        channels: int,
        notes: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.name, self.channels, self.notes = name, channels, notes
        self._layout = {stride: tuple(layers) for stride, layers in layout.items()}
        keep = [layer for layers in layout.values() for layer in layers]
        for own, module in net.named_children():  # in the network's order, so that the state dict keeps it
            if any(each.partition(".")[0] == own for each in keep):
                self.add_module(own, _pruned(module, own, keep))
        shapes = self._probe()
        self.widths = {stride: shape[1] for stride, shape in shapes.items()}
        self.strides = {stride: PROBE // shape[2] for stride, shape in shapes.items()}

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """(N, C, H, W) standardised pixels -> stride -> (N, M, h, w), finest first; any H and W."""
        maps: dict[int, Tensor] = {}
        for stride, layers in self._layout.items():
            for layer in layers:
                x = self.get_submodule(layer)(x)
            maps[stride] = x
        return maps

    def _probe(self) -> dict[int, torch.Size]:
        """Shapes of all maps of one picture, without memory and without arithmetic."""
        meta = {key: torch.empty_like(tensor, device="meta") for key, tensor in self.state_dict().items()}
        x = torch.empty(1, self.channels, PROBE, PROBE, device="meta")
        training = self.training
        with torch.no_grad():
            maps = functional_call(self.eval(), meta, (x,))
        self.train(training)
        return {stride: each.shape for stride, each in maps.items()}


def _pruned(module: nn.Module, name: str, keep: list[str]) -> nn.Module:
    """A sequence without the layers that are not named, if parts of it are; else the module itself."""
    inside = {each.split(".")[1] for each in keep if each.startswith(f"{name}.")}
    if not inside or name in keep:
        return module
    pruned = nn.Sequential()
    for own, child in module.named_children():
        if own in inside:
            pruned.add_module(own, child)
    return pruned

"""LoRA in training: a few weights beside a frozen UNet, as one module that loop, averages and checkpoints know.

In: a UNet, rank, alpha and target names. Out: `Adapter`, whose parameters are those that peft put into the UNet (and
conv_in's, where new input channels must be learnt). The UNet without its adapter is the reference of preference
training: no second copy. Only this module knows peft. Knows nothing of losses.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from fashiondistill.diffusion.adapters import write_adapter

BASE, DEFAULT = ".base_layer", ".default"  # how peft names what it wraps, and its one adapter


class Adapter(nn.Module):
    """The parameters of a LoRA, shared with the UNet that they sit in; a copy of it holds values only.

    Args:
        unet: gets the LoRA layers, in place; everything else in it is frozen.
        rank, alpha: the LoRA adds alpha / rank x B A.
        targets: ends of the names of the modules that get one.
        conv_in: train the first convolution in full beside it.
        seed: of the first weights (B begins at zero, so that nothing changes at first).

    Raises:
        ValueError: if peft is missing, or no module has a target's name.
    """

    def __init__(
        self,
        unet: UNet2DConditionModel,
        *,
        rank: int,
        alpha: float,
        targets: Sequence[str],
        conv_in: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if importlib.util.find_spec("peft") is None:
            raise ValueError("--lora_rank is not usable: peft is not installed. pip install peft")
        from peft import LoraConfig

        self.scale = alpha / rank
        unet.requires_grad_(False)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            settings = LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(targets), init_lora_weights="gaussian")
            try:
                unet.add_adapter(settings)
            except ValueError as error:
                reason = " ".join(str(error).split())[:200]
                raise ValueError(f"--lora_targets {tuple(targets)} is not usable: {reason}") from error
        for name, parameter in unet.named_parameters():
            if ".lora_" in name or (conv_in and name.startswith("conv_in.")):
                self.register_parameter(_flat(name), parameter.requires_grad_(True))

    def save(self, folder: Path) -> None:
        """Write these values in diffusers' format; see `diffusion.adapters`."""
        values = {name.replace("/", "."): value for name, value in self.state_dict().items()}
        pairs = {n.replace(DEFAULT, ""): v for n, v in values.items() if ".lora_" in n}
        pairs = {n: v * self.scale if ".lora_B." in n else v for n, v in pairs.items()}
        whole = {n.removeprefix("conv_in."): v for n, v in values.items() if n.startswith("conv_in.")}
        write_adapter(folder, pairs, whole)

    @contextmanager
    def holding(self, values: Adapter) -> Iterator[None]:
        """The UNet works with a copy's values, for example averaged ones; afterwards with its own again."""
        before = {name: parameter.data for name, parameter in self.named_parameters()}
        try:
            for name, parameter in values.named_parameters():
                getattr(self, name).data = parameter.data.to(before[name].device)
            yield
        finally:
            for name, data in before.items():
                getattr(self, name).data = data


@contextmanager
def without_adapter(unet: UNet2DConditionModel) -> Iterator[None]:
    """The UNet as it is without its LoRA. Not to be opened between a forward pass with a graph and its backward pass.

    A conv_in that is trained beside the LoRA stays as trained: who needs the reference must not train it.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [module for module in unet.modules() if isinstance(module, BaseTunerLayer)]
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)  # and with it the gradient of its weights, which False took away


def plain_unet(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """A copy on the CPU without any LoRA, as `merge_adapter` takes it; conv_in is that of now."""
    copy = UNet2DConditionModel.from_config(unet.config)
    own = {n.replace(BASE, ""): v for n, v in unet.state_dict().items() if ".lora_" not in n}
    copy.load_state_dict(own)
    return copy.eval()


def _flat(name: str) -> str:
    return name.replace(".", "/")  # a parameter's name may hold no dot

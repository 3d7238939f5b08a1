"""LoRA weights on disk, in diffusers' own format, and how they are added into a UNet.

In: pytorch_lora_weights.safetensors, or a folder that holds it (and conv_in.safetensors, where the first convolution
was trained in full). Out: a UNet whose weights are W + s B A (Hu et al. 2021, equation 3), as fast as without. Needs no
peft. Knows nothing of training.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

ADAPTER, CONV_IN = "pytorch_lora_weights.safetensors", "conv_in.safetensors"
PREFIX = "unet."
METADATA = "lora_adapter_metadata"  # where diffusers keeps rank and alpha


def write_adapter(folder: Path, pairs: Mapping[str, torch.Tensor], conv_in: Mapping[str, torch.Tensor]) -> None:
    """Write an adapter.

    Args:
        folder: stands already.
        pairs: "MODULE.lora_A.weight" and "MODULE.lora_B.weight", the scale already inside B: alpha equals the rank, so
            that readers which know no alpha read it right.
        conv_in: weight and bias of a convolution that was trained in full, or nothing.
    """
    ranks = {value.shape[0] for name, value in pairs.items() if ".lora_A." in name}
    (rank,) = ranks
    modules = sorted({name.partition(".lora_")[0] for name in pairs})
    settings = {"r": rank, "lora_alpha": rank, "target_modules": modules, "peft_type": "LORA"}
    text = json.dumps({f"{PREFIX}{key}": value for key, value in settings.items()}, indent=1, sort_keys=True)
    own = {PREFIX + name: value.detach().float().cpu().contiguous() for name, value in pairs.items()}
    save_file(own, folder / ADAPTER, metadata={"format": "pt", METADATA: text})
    if conv_in:
        save_file({n: v.detach().float().cpu().contiguous() for n, v in conv_in.items()}, folder / CONV_IN)


@torch.no_grad()
def merge_adapter(unet: UNet2DConditionModel, path: Path) -> int:
    """Add an adapter's weights into a UNet, in place; returns the number of modules changed.

    Raises:
        FileNotFoundError, ValueError: naming the file, if it is missing, damaged or of another UNet; the UNet is then
            as it was.
    """
    file = path / ADAPTER if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"--lora {file} does not exist. Give a folder with {ADAPTER}, or such a file.")
    tensors, scale = _read(file)
    own = dict(unet.named_modules())
    changes = []
    for name in sorted({key.partition(".lora_")[0] for key in tensors}):
        try:
            down, up = (tensors[f"{name}.lora_{letter}.weight"].float() for letter in "AB")
            weight = own[name].weight
            change = (up.flatten(1) @ down.flatten(1)).view(weight.shape) * scale
        except (KeyError, AttributeError, RuntimeError) as error:
            raise ValueError(f"--lora {file} does not fit this model: {name} is another one ({error}).") from error
        changes.append((weight, change))
    whole = path / CONV_IN if path.is_dir() else path.with_name(CONV_IN)
    if whole.is_file() and path.is_dir():
        replaced, _ = _read(whole)
        if {n: v.shape for n, v in replaced.items()} != {n: v.shape for n, v in unet.conv_in.state_dict().items()}:
            raise ValueError(f"--lora {whole} is of a UNet with other input channels than this model's.")
        unet.conv_in.load_state_dict(replaced)
    for weight, change in changes:
        weight.copy_(weight.float() + change.to(weight.device))
    return len(changes)


def _read(file: Path) -> tuple[dict[str, torch.Tensor], float]:
    """Tensors without the prefix, and alpha over rank."""
    try:
        with safe_open(file, framework="pt") as weights:
            settings = json.loads((weights.metadata() or {}).get(METADATA, "{}"))
            tensors = {name.removeprefix(PREFIX): weights.get_tensor(name) for name in weights.keys()}
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"--lora {file} is damaged or no safetensors file ({error}). Restore the file.") from error
    odd = [n for n in tensors if file.name != CONV_IN and not n.endswith((".lora_A.weight", ".lora_B.weight"))]
    if odd or not tensors:
        raise ValueError(f"--lora {file} holds {odd[:1] or 'nothing'}: only lora_A and lora_B of a UNet are read.")
    return tensors, settings.get(f"{PREFIX}lora_alpha", 1) / settings.get(f"{PREFIX}r", 1)

"""AdamW in the forms that training offers: torch's, its fused kernel, and 8-bit moments (bitsandbytes).

In: settings and modules. Out: an optimizer with one group of parameters a module. Knows nothing of the loop.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping

import torch
from torch import nn

from train.settings import TrainConfig


def make_optimizer(
    config: TrainConfig, modules: Mapping[str, nn.Module], rate_scales: Mapping[str, float]
) -> torch.optim.Optimizer:
    """The optimizer of --optimizer, with the parameters in the order of `modules`.

    Args:
        config: settings.
        modules: what is trained, by name.
        rate_scales: learning rate of a module over that of the run, as "rate_scale" of its group; 1 where none is
            named.

    Raises:
        ValueError: if its package or a GPU is missing; another one is never taken in its place.
    """
    shared = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    groups = [
        {"params": [p for p in module.parameters() if p.requires_grad], "rate_scale": rate_scales.get(name, 1.0)}
        for name, module in modules.items()
    ]
    on_gpu = all(parameter.device.type == "cuda" for group in groups for parameter in group["params"])
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, fused=on_gpu, **shared)
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ValueError("--optimizer adamw8bit is not usable: bitsandbytes is not installed. pip install bitsandbytes")
    if not on_gpu:
        raise ValueError("--optimizer adamw8bit is not usable on a CPU: choose adamw, or --device cuda.")
    return importlib.import_module("bitsandbytes").optim.AdamW8bit(groups, **shared)

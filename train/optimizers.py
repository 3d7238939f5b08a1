"""AdamW in the forms that training offers: torch's, its fused kernel, and 8-bit moments (bitsandbytes).

In: settings and parameters. Out: an optimizer. Knows nothing of the loop.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence

import torch
from torch import nn

from train.settings import TrainConfig


def make_optimizer(config: TrainConfig, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer of --optimizer.

    Raises:
        ValueError: if its package or a GPU is missing; another one is never taken in its place.
    """
    shared = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    on_gpu = all(parameter.device.type == "cuda" for parameter in parameters)
    if config.optimizer == "adamw":
        return torch.optim.AdamW(parameters, fused=on_gpu, **shared)
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ValueError("--optimizer adamw8bit is not usable: bitsandbytes is not installed. pip install bitsandbytes")
    if not on_gpu:
        raise ValueError("--optimizer adamw8bit is not usable on a CPU: choose adamw, or --device cuda.")
    return importlib.import_module("bitsandbytes").optim.AdamW8bit(parameters, **shared)

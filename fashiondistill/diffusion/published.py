"""unet.pth: the published form of a trained UNet, a bare state dict in torch's own format; both ways.

In: a UNet2DConditionModel, or a .pth file. Out: the file, or the weights inside the UNet. Only tensors are read
(weights_only), and only by a torch whose reader has no known hole. Knows nothing of pipelines.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch._weights_only_unpickler import UnpicklingError  # what weights_only raises at anything but tensors

SAFE_TORCH = (2, 10)  # CVE-2025-32434 was fixed in 2.6, CVE-2026-24747 in 2.10
EXPECTED_CHANNELS = {
    9: "plain inpainting",
    10: "with sketch",
    13: "pose 3 and sketch",
    21: "the bundled starter, 8 latent channels and 4 sketch parts",
    28: "MGD, pose 18 and sketch",
}


def save_unet_pth(unet: UNet2DConditionModel, path: Path) -> None:
    """Write the state dict, float32, whole or not at all.

    Raises:
        OSError: if the disk is full.
    """
    weights = {n: t.detach().float().cpu().contiguous() for n, t in unet.state_dict().items()}
    part = path.with_name(path.name + ".part")
    size = sum(4 * tensor.numel() for tensor in weights.values())
    try:
        with open(part, "wb") as handle:
            torch.save(weights, handle)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(part, path)
    except (OSError, RuntimeError) as error:  # torch says of a full disk that it stands at an unexpected place
        free = shutil.disk_usage(path.parent).free
        part.unlink(missing_ok=True)
        if isinstance(error, RuntimeError) and free < size:
            raise OSError(errno.ENOSPC, f"no space for {path}, which needs {size:,} bytes") from error
        raise


def load_unet_pth(unet: UNet2DConditionModel, path: Path) -> None:
    """Put a published state dict into a UNet of the same shape.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds something else than tensors, or those of a UNet of another shape; names both channel
            counts.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. Give a unet.pth.")
    if tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2]) < SAFE_TORCH:
        raise ValueError(f"{path}: torch {torch.__version__} reads .pth files unsafely. Install torch 2.10 or later.")
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, UnpicklingError) as error:
        raise ValueError(f"{path} is no state dict of tensors ({_first_line(error)}). Export it again.") from error
    if not isinstance(weights, dict) or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise ValueError(f"{path} holds no bare state dict. Give the unet.pth of a checkpoint.")
    channels = weights["conv_in.weight"].shape[1] if "conv_in.weight" in weights else 0
    if channels != unet.config.in_channels:
        raise ValueError(
            f"{path} is a UNet with {channels} input channels ({EXPECTED_CHANNELS.get(channels, 'unknown layout')}), "
            f"the model has {unet.config.in_channels}. Give the model that it was trained from."
        )
    try:
        unet.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{path} is of a UNet of another shape ({_first_line(error)}).") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

"""What a device can do at most, measured: matmuls and convolutions of the kind that a UNet is made of.

In: a device and a number format. Out: TFLOP/s. And the floating-point operations of a piece of code, counted by torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

MATMUL = {"cuda": 8192, "cpu": 512}  # rows and columns
CONV = {"cuda": (64, 640, 32, 24), "cpu": (2, 64, 16, 12)}  # batch, channels, height, width; 3 x 3 kernels


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def seconds_of(work: Callable[[], object], device: torch.device, *, at_least: float) -> float:
    """Seconds of one call, the mean over as many as fill `at_least` seconds, after two that do not count."""
    for _ in range(2):
        work()
    wait(device)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < at_least:
        for _ in range(5):
            work()
        wait(device)
        count += 5
    return (time.perf_counter() - began) / count


def measured_peaks(device: torch.device, dtype: torch.dtype, *, at_least: float) -> dict[str, float]:
    """TFLOP/s of a large square matmul, and of 3 x 3 convolutions in channels_last."""
    side = MATMUL[device.type]
    one, two = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    matmul = 2 * side**3 / seconds_of(lambda: one @ two, device, at_least=at_least)
    batch, channels, height, width = CONV[device.type]
    pixels = torch.randn(batch, channels, height, width, device=device, dtype=dtype)
    pixels = pixels.to(memory_format=torch.channels_last)
    kernel = torch.randn(channels, channels, 3, 3, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    work = 2 * batch * channels**2 * 9 * height * width
    conv = work / seconds_of(lambda: F.conv2d(pixels, kernel, padding=1), device, at_least=at_least)
    return {"matmul": matmul / 1e12, "conv": conv / 1e12}


def operations_of(work: Callable[[], object]) -> int:
    """Floating-point operations of one call, forward and backward: matmuls, convolutions, attention."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()

"""What a figure was measured on. In: a device's name. Out: a line for a report."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch


def hardware(device: str) -> str:
    """Cores, and the GPU where `device` is "cuda"."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    cores = f"{os.cpu_count()} cores of {name}"
    return f"{torch.cuda.get_device_name()}, {cores}" if device == "cuda" else cores

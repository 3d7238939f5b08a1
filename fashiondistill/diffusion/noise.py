"""Noise of a candidate: known from seed and number alone, the same on every device."""

from __future__ import annotations

import hashlib

import torch

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH


def candidate_generator(seed: int, index: int) -> torch.Generator:
    """Where the noise of candidate `index` comes from: the same on every device, whatever the number of candidates."""
    key = int.from_bytes(hashlib.sha256(f"{seed}/{index}".encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(key)


def candidate_noise(seed: int, index: int, channels: int = 4) -> torch.Tensor:
    """Noise [1, channels, 64, 48] of candidate `index`; see `candidate_generator`."""
    generator = candidate_generator(seed, index)
    return torch.randn(1, channels, IMAGE_HEIGHT // 8, IMAGE_WIDTH // 8, generator=generator)

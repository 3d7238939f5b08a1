"""Photo -> where a small network sees the garment, without torch: the U-Net of train/starter/segmenter.py in numpy.

In: uint8 [H, W, 3] RGB. Out: probabilities at `NET_SIZE`. Batch norm is folded into the convolutions, so a layer is a
3 x 3 convolution, a bias and a ReLU. Worker processes of `data.photoset` need no torch.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from safetensors.numpy import load_file

from fashiondistill.config import ASSETS

SEGMENTER_WEIGHTS = "segmenter.safetensors"
NET_SIZE = (192, 144)  # height and width; photos are stretched to it
WIDTHS = (16, 32, 64, 128)  # channels at 1/2, 1/4, 1/8 and 1/16 of it
DEEP = 2  # further convolutions at 1/16


def garment_chance(image: np.ndarray, weights: dict[str, np.ndarray] | None = None) -> np.ndarray:
    """Probability of garment, float32 [192, 144] in [0, 1], for uint8 [H, W, 3] RGB of any size."""
    weights = _weights() if weights is None else weights
    height, width = NET_SIZE
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    scores = _network(net_input(small), weights)
    return cv2.resize(1 / (1 + np.exp(-scores)), (width, height), interpolation=cv2.INTER_LINEAR)


def net_input(small: np.ndarray) -> np.ndarray:
    """uint8 [..., 3] -> float32 in about [-2, 2]."""
    return small.astype(np.float32) / 64 - 2


def _network(values: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    """Scores float32 [96, 72] of an input [192, 144, 3]; channels last."""
    skips = []
    for level in range(len(WIDTHS)):
        values = _convolve(values, weights, f"down{level}", stride=2)
        values = _convolve(values, weights, f"same{level}")
        skips.append(values)
    for step in range(DEEP):
        values = values + _convolve(values, weights, f"deep{step}")
    for level in reversed(range(len(WIDTHS) - 1)):
        lower = values @ weights[f"up{level}.weight"] + weights[f"up{level}.bias"]
        values = np.maximum(lower.repeat(2, axis=0).repeat(2, axis=1) + skips[level], 0)
        values = _convolve(values, weights, f"out{level}")
    return (values @ weights["head.weight"] + weights["head.bias"])[..., 0]


def _convolve(values: np.ndarray, weights: dict[str, np.ndarray], name: str, *, stride: int = 1) -> np.ndarray:
    """3 x 3 convolution with padding 1, bias and ReLU; weights [9 * channels in, channels out]."""
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))[::stride, ::stride]
    rows, columns = windows.shape[:2]
    flat = windows.transpose(0, 1, 3, 4, 2).reshape(rows * columns, -1)
    made = flat @ weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return np.maximum(made, 0).reshape(rows, columns, -1)


@cache
def _weights() -> dict[str, np.ndarray]:
    return {name: value.astype(np.float32) for name, value in load_file(ASSETS / SEGMENTER_WEIGHTS).items()}

"""The figures of the model card, each on photos of senders that no stage has seen.

In: models and the test split in memory. Out: plain numbers with 95 % bootstrap intervals over photos. Nothing here
trains, and nothing is ranked before it is measured: one candidate per sketch, first seed.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKL
from skimage.color import deltaE_ciede2000
from skimage.metrics import structural_similarity

from fashiondistill.images import from_model, to_model
from fashiondistill.modelcard import Figure
from train.starter.splits import StarterData


def figure(values: list[float] | np.ndarray, *, num_resamples: int = 2000) -> Figure:
    """Mean and percentile bootstrap interval of one value per photo."""
    array = np.asarray(values, np.float64)
    draws = np.random.default_rng(0).integers(len(array), size=(num_resamples, len(array)))
    low, high = np.percentile(array[draws].mean(axis=1), (2.5, 97.5))
    return Figure(round(float(array.mean()), 4), round(float(low), 4), round(float(high), 4), len(array))


def share(hits: list[bool] | np.ndarray) -> Figure:
    """A share of yes among yes and no, with Wilson's 95 % interval (1927), which stays open at 0 and 1."""
    array, z = np.asarray(hits, np.float64), 1.959964
    count, mean = len(array), float(np.mean(array))
    middle = (mean + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(mean * (1 - mean) / count + z**2 / (4 * count**2))
    return Figure(round(mean, 4), round(float(middle - half), 4), round(float(middle + half), 4), count)


def mean_of_shares(groups: list[np.ndarray], *, num_resamples: int = 2000) -> Figure:
    """The mean over groups of each group's share of yes, with a bootstrap interval over the members of each."""
    rng = np.random.default_rng(0)
    draws = [np.asarray(g, float)[rng.integers(len(g), size=(num_resamples, len(g)))].mean(axis=1) for g in groups]
    low, high = np.percentile(np.mean(draws, axis=0), (2.5, 97.5))
    mean = float(np.mean([np.mean(group) for group in groups]))
    return Figure(round(mean, 4), round(float(low), 4), round(float(high), 4), sum(map(len, groups)))


def ratio(top: list[float], bottom: list[float], *, num_resamples: int = 2000) -> Figure:
    """Mean of `top` over mean of `bottom`, one value of each per photo, with a bootstrap interval over photos."""
    above, below = np.array(top), np.array(bottom)
    draws = np.random.default_rng(0).integers(len(above), size=(num_resamples, len(above)))
    low, high = np.percentile(above[draws].mean(axis=1) / below[draws].mean(axis=1), (2.5, 97.5))
    return Figure(round(float(above.mean() / below.mean()), 4), round(float(low), 4), round(float(high), 4), len(above))


@torch.no_grad()
def reconstruct(vae: AutoencoderKL, photo: np.ndarray) -> np.ndarray:
    """A uint8 picture [512, 384, 3] through the autoencoder, from the posterior's mean."""
    pixels = torch.from_numpy(to_model(photo))[None].to(vae.device, vae.dtype)
    return from_model(vae.decode(vae.encode(pixels).latent_dist.mean).sample[0].float().cpu().numpy())


def autoencoder_figures(vae: AutoencoderKL, data: StarterData) -> dict[str, Figure]:
    """PSNR (dB), SSIM and colour error (CIEDE2000) of reconstructions at 512 x 384, from the posterior's mean."""
    rows: dict[str, list[float]] = {
        name: [] for name in ("psnr", "psnr_inside", "ssim", "delta_e_inside", "delta_e_of_mean_colour")
    }
    for index in range(len(data)):
        original = data.images[index].permute(1, 2, 0).cpu().numpy()
        inside = data.masks[index, 0].cpu().numpy() > 0
        for name, value in compare_pictures(original, reconstruct(vae, original), inside).items():
            rows[name].append(value)
    return {name: figure(values) for name, values in rows.items()}


def compare_pictures(original: np.ndarray, output: np.ndarray, inside: np.ndarray) -> dict[str, float]:
    """Figures of one pair of uint8 [H, W, 3] pictures; `inside` bool [H, W] marks the garment."""
    squared = (original.astype(np.float64) - output.astype(np.float64)) ** 2
    first, second = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for p in (original, output))
    return {
        "psnr": psnr(squared.mean()),
        "psnr_inside": psnr(squared[inside].mean()),
        "ssim": float(structural_similarity(original, output, channel_axis=2)),
        "delta_e_inside": float(deltaE_ciede2000(first[inside], second[inside]).mean()),
        "delta_e_of_mean_colour": float(deltaE_ciede2000(first[inside].mean(0), second[inside].mean(0))),
    }


def psnr(mean_squared_error: float) -> float:
    """PSNR in dB of 8-bit values; 148 dB where nothing differs."""
    return float(10 * np.log10(255**2 / max(mean_squared_error, 1e-10)))


def mask_on_ground(picture: np.ndarray) -> np.ndarray:
    """Bool [H, W]: the garment of a uint8 picture on the flat ground, by colour distance; holes are not filled.

    The ground is taken from the picture's border. Pale garments differ little from it, so that edges are closed first;
    the figure of the real photos beside each result shows what this costs.
    """
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    border = np.concatenate([lab[:6].reshape(-1, 3), lab[-6:].reshape(-1, 3), lab[:, :6].reshape(-1, 3)])
    distance = np.linalg.norm(cv2.GaussianBlur(lab, (0, 0), 1.0) - np.median(border, axis=0), axis=2)
    found = cv2.morphologyEx((distance > 4.0).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found)
    if count < 2:
        return np.zeros(found.shape, bool)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.isin(labels, 1 + np.flatnonzero(areas >= 0.05 * areas.max()))


def iou(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two bool masks; 0 if both are empty."""
    union = (first | second).sum()
    return float((first & second).sum() / union) if union else 0.0

"""Losses of denoising and of the trend, as pure functions with gradients.

In: latents [B, C, h, w], the UNet's output, noise levels alpha (cumulative products, [B]). Out: one value a sample, or
one for the batch. Knows nothing of models, files and steps. Prediction types are diffusers' "epsilon" and
"v_prediction" (Salimans and Ho 2022, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

EPSILON, V_PREDICTION = "epsilon", "v_prediction"
LAST_TREND_SHARE = 0.6  # of the timesteps: above it the predicted picture is a blur, whose features say little


@dataclass(frozen=True, eq=False)
class Noised:
    """Latents at a noise level, and what the UNet should answer; all [B, C, h, w] but `alpha` and `timesteps` [B]."""

    noisy: torch.Tensor
    target: torch.Tensor
    alpha: torch.Tensor
    timesteps: torch.Tensor
    prediction_type: str

    def clean(self, output: torch.Tensor) -> torch.Tensor:
        """The latents that an output stands for, with its gradient (x_0 of the noisy latents)."""
        kept, lost = _roots(self.alpha)
        if self.prediction_type == V_PREDICTION:
            return kept * self.noisy - lost * output
        return (self.noisy - lost * output) / kept


def add_noise(
    latents: torch.Tensor, noise: torch.Tensor, timesteps: torch.Tensor, alphas: torch.Tensor, prediction_type: str
) -> Noised:
    """x_t = sqrt(alpha) x_0 + sqrt(1 - alpha) noise, and the target of the prediction type.

    Raises:
        ValueError: for a prediction type other than epsilon and v_prediction.
    """
    if prediction_type not in (EPSILON, V_PREDICTION):
        raise ValueError(f"prediction_type {prediction_type!r} is not trained here: {EPSILON} or {V_PREDICTION}.")
    alpha = alphas[timesteps]
    kept, lost = _roots(alpha)
    target = noise if prediction_type == EPSILON else kept * noise - lost * latents
    return Noised(kept * latents + lost * noise, target, alpha, timesteps, prediction_type)


def min_snr_weight(alpha: torch.Tensor, *, gamma: float, prediction_type: str) -> torch.Tensor:
    """Weight of each sample's error [B] (Hang et al. 2023, section 3.4).

    min(SNR, gamma) is the weight of an x_0 error; an epsilon error is SNR times, a v error SNR + 1 times as large.
    """
    snr = alpha / (1 - alpha)
    if prediction_type == V_PREDICTION:
        return snr.clamp(max=gamma) / (snr + 1)
    return (gamma / snr).clamp(max=1.0)  # min(SNR, gamma) / SNR, also where SNR is 0


def masked_mean(values: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Mean over pixels and channels of each sample [B]; with a mask [B, 1, h, w], over its inside.

    Raises:
        ValueError: if the mask of a sample is empty.
    """
    if mask is None:
        return values.mean(dim=(1, 2, 3))
    inside = mask.sum(dim=(1, 2, 3))
    if not bool((inside > 0).all()):
        raise ValueError("a mask of the batch is empty: there is nothing to take the mean of.")
    return (values * mask).sum(dim=(1, 2, 3)) / (inside * values.shape[1])


def squared_error(output: torch.Tensor, noised: Noised, mask: torch.Tensor | None = None) -> torch.Tensor:
    """Mean squared error against the target, in float32; [B]."""
    return masked_mean((output.float() - noised.target.float()).square(), mask)


def trend_weight(noised: Noised, num_timesteps: int) -> torch.Tensor:
    """How far the trend loss counts at each sample's noise level [B]: alpha, and 0 from 60 % of the timesteps on."""
    return torch.where(noised.timesteps < LAST_TREND_SHARE * num_timesteps, noised.alpha, 0.0)


def set_distance(
    features: torch.Tensor, past: torch.Tensor, past_weights: torch.Tensor, groups: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Maximum mean discrepancy between drawn garments and what sold, with the distance kernel, summed over groups.

    That is the energy distance, 2 E|x - y| - E|x - x'| - E|y - y'| (Sejdinovic et al. 2013): 0 for equal sets, and,
    unlike with a Gaussian kernel, no set is so far off that it feels no pull. For each group (category) the weighted
    set of its samples' features stands against the weighted union of their pasts.

    Args:
        features: [B, F] of the predicted pictures, standardised, with gradient.
        past: [B, N, F] features of past articles.
        past_weights: [B, N], each row summing to 1, or to 0 where a sample has no past: such samples do not count.
        groups: int [B].
        weights: [B], how far each sample counts.

    Returns:
        A scalar: each group's distance times the share of the batch's samples' weights that it has.
    """
    counted = weights * (past_weights.sum(dim=1) > 0)
    same = (groups[:, None] == groups[None, :]).to(features.dtype)
    own = counted / (same @ counted).clamp(min=1e-12)  # weight inside the group's set
    share = counted / len(counted)
    flat, flat_weights = past.flatten(0, 1), past_weights
    drawn = (same * _distance(features, features)) @ own
    count, length = past_weights.shape
    crossed = _distance(features, flat).view(count, count, length)
    cross = (same[:, :, None] * crossed * flat_weights[None]).sum(dim=2) @ own
    sold = _distance(flat, flat).view(count, length, count, length)
    sold = torch.einsum("injm,in,jm->ij", sold, flat_weights, flat_weights)
    constant = (same * sold) @ own
    return (share * (2 * cross - drawn - constant)).sum()


def mean_distance(
    features: torch.Tensor, past: torch.Tensor, past_weights: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Mean squared distance of each sample's features to the weighted mean of its past: the documented form, with a
    gradient. It pulls towards an average garment; `set_distance` does not. Scalar."""
    centre = (past * past_weights[:, :, None]).sum(dim=1)
    counted = weights * (past_weights.sum(dim=1) > 0)
    return (counted * (features - centre).square().mean(dim=1)).mean()


def _distance(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Root of the mean squared difference over the features, [A, B]; without the shortcut that is inexact near 0."""
    exact = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
    return exact / first.shape[1] ** 0.5


def _roots(alpha: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    shaped = alpha[:, None, None, None]
    return shaped.sqrt(), (1 - shaped).sqrt()

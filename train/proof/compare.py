"""Figures of one arm, and of an arm against another one on the same cases and noises.

In: `Scores` tensors of two arms, the article of each case. Out: `Interval`s; intervals draw whole articles, since a
bestseller of several weeks is one garment. Knows nothing of models and files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from train.intervals import NUM_RESAMPLES, Interval, bootstrap
from train.proof.measures import image_term

Tensors = Mapping[str, torch.Tensor]
CLIPS = ("reward", "judge")


def interval(values: torch.Tensor, articles: Sequence[str]) -> Interval:
    """Mean of one value a case (or of its noises) with its interval; cases without a value are left out.

    Raises:
        ValueError: if no case has a value.
    """
    own = values.double() if values.dim() == 1 else values.double().mean(dim=1)
    known = torch.isfinite(own)
    if not known.any():
        raise ValueError("no case has a value to average.")
    return bootstrap(own[known].tolist(), [one for one, has in zip(articles, known.tolist(), strict=True) if has])


def combined(own: Tensors, reference: Tensors, clip: str, mode: str, weights: tuple[float, float]) -> torch.Tensor:
    """Weighted sum of image and text similarity [S, G], in standard deviations of the reference within a case.

    A term's unit is the spread of the reference's pictures of one case, pooled over cases; the sum is brought to the
    same unit, so that 1 means as much as one picture of a case differs from another.
    """
    terms = (f"{clip}_{image_term(mode)}", f"{clip}_text")

    def total(of: Tensors) -> torch.Tensor:
        return sum(w * of[t].double() / spread_within(reference[t]) for w, t in zip(weights, terms, strict=True))

    return total(own) / spread_within(total(reference))


def spread_within(values: torch.Tensor) -> float:
    """Pooled standard deviation of [S, G] within rows; 1 where nothing differs."""
    centred = values.double() - values.double().mean(dim=1, keepdim=True)
    pooled = (centred.square().sum() / (values.numel() - len(values))).sqrt().item()
    return pooled if pooled > 1e-9 else 1.0


def gain(own: Tensors, reference: Tensors, clip: str, mode: str, weights: tuple[float, float]) -> torch.Tensor:
    """Combined score of an arm minus the reference's, [S, G]: the same case and the same noise."""
    of_reference = combined(reference, reference, clip, mode, weights)
    return combined(own, reference, clip, mode, weights) - of_reference


def wins(gains: torch.Tensor) -> torch.Tensor:
    """1 where the arm is better, 0 where it is worse, 0.5 where equal."""
    return (gains > 0).double() + 0.5 * (gains == 0).double()


def own_figures(tensors: Tensors, articles: Sequence[str]) -> dict[str, Interval]:
    """Figures of an arm by itself; KID was measured with its interval (`measures`)."""
    found = {
        name: interval(values, articles)
        for name, values in tensors.items()
        if name != "kid" and torch.isfinite(values).any()
    }
    return found | {"kid": Interval(*tensors["kid"].tolist())}


def against(
    own: Tensors, reference: Tensors, articles: Sequence[str], mode: str, weights: tuple[float, float]
) -> dict[str, Interval]:
    """Win rate and gain under both CLIPs, and changes of what must not change."""
    found = {}
    for clip in CLIPS:
        gains = gain(own, reference, clip, mode, weights)
        found[f"{clip}_gain"] = interval(gains, articles)
        found[f"{clip}_wins"] = interval(wins(gains), articles)
        for term in ("own", "week", "text", "shown"):
            name = f"{clip}_{term}"
            found[f"{name}_change"] = interval(own[name] - reference[name], articles)
    for name in ("saturation", "outline_iou", "inner_lines"):
        change = own[name] - reference[name]
        if torch.isfinite(change).any():
            found[f"{name}_change"] = interval(change, articles)
    for name in ("diversity", "vendi"):
        found[f"{name}_ratio"] = ratio(own[name], reference[name], articles)
    return found


def ratio(top: torch.Tensor, bottom: torch.Tensor, articles: Sequence[str]) -> Interval:
    """Mean of [S] over another mean, minus 1, with an interval over articles."""
    names = {article: number for number, article in enumerate(dict.fromkeys(articles))}
    places = [names[one] for one in articles]
    sums = np.zeros((2, len(names)))
    for row, values in enumerate((top, bottom)):
        np.add.at(sums[row], places, values.double().numpy())
    draws = np.random.default_rng(0).integers(len(names), size=(NUM_RESAMPLES, len(names)))
    above, below = sums[0][draws].sum(axis=1), sums[1][draws].sum(axis=1)
    some = below > 0
    if not some.any():
        return Interval(0.0, 0.0, 0.0)  # neither differs at all
    low, high = np.percentile(above[some] / below[some] - 1, (2.5, 97.5))
    return Interval(float(sums[0].sum() / sums[1].sum() - 1), float(low), float(high))


def pooled_wins(pairs: Sequence[tuple[Tensors, Tensors]], clip: str, mode: str, articles: Sequence[str],
                weights: tuple[float, float]) -> Interval:  # fmt: skip
    """Win rate over several training seeds, each against its own reference; a case counts once, with their mean."""
    shares = [wins(gain(own, reference, clip, mode, weights)).mean(dim=1) for own, reference in pairs]
    return interval(torch.stack(shares).mean(dim=0), articles)


def beats(first: torch.Tensor, second: torch.Tensor, articles: Sequence[str]) -> Interval:
    """Mean of `first` minus `second`, both [S, G]."""
    return interval(first - second, articles)

"""A reward that several CLIPs and several views of a picture agree on.

In: CLIP folders. Out: `EnsembleScorer`, whose dot products are the mean cosine over CLIPs and views. Reward and judge
agreed only to 0.35 within a prompt in the trial (RECIPES): averaging takes out what one network sees in one crop alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from fashiondistill.scoring import ClipScorer

NEARER = 0.86  # share of height and width that the nearest view keeps
Pixels = Callable[[torch.Tensor], torch.Tensor]


def mirrored(pixels: torch.Tensor) -> torch.Tensor:
    """Left and right exchanged."""
    return pixels.flip(-1)


def nearer(pixels: torch.Tensor) -> torch.Tensor:
    """The middle of the picture."""
    height, width = pixels.shape[2:]
    top, left = round(height * (1 - NEARER) / 2), round(width * (1 - NEARER) / 2)
    return pixels[:, :, top : height - top, left : width - left]


VIEWS: tuple[Pixels, ...] = (lambda pixels: pixels, mirrored, nearer)


class Members(nn.Module):
    """The networks of an ensemble; their weights name what was drawn with them."""

    def __init__(self, models: Sequence[nn.Module], num_views: int) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.logit_scale = models[0].logit_scale
        self.register_buffer("num_views", torch.tensor(num_views))  # or rounds of other views would be taken as these


class EnsembleScorer(ClipScorer):
    """CLIPs side by side: embeddings [N, sum of D], of which a dot product is the mean of the CLIPs' own.

    Args:
        scorers: at least one, on one device.
        num_views: of `VIEWS`, from the first on. A picture's embedding is the mean over its views, so it is shorter
            than 1 as far as its views differ.
    """

    def __init__(self, scorers: Sequence[ClipScorer], num_views: int) -> None:
        self.scorers, self.views = tuple(scorers), VIEWS[:num_views]
        self.model, self.device = Members([scorer.model for scorer in scorers], num_views), scorers[0].device
        self.size = (*(side for scorer in scorers for side in scorer.size), num_views)  # part of the tables' names

    @torch.inference_mode()
    def embed_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pictures [N, 3, H, W] in [-1, 1] -> float32 [N, sum of D]."""
        parts = [torch.stack([s.embed_pixels(view(pixels)) for view in self.views]).mean(dim=0) for s in self.scorers]
        return torch.cat(parts, dim=1) / len(parts) ** 0.5

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        """Texts -> [N, sum of D]."""
        parts = [scorer.embed_texts(texts) for scorer in self.scorers]
        return np.concatenate(parts, axis=1) / len(parts) ** 0.5

"""What sold in the weeks before -> a few extra cross-attention tokens; and features of latents to compare sets with.

In: CLIP embeddings of past articles with weights that fall with age, the category and the week of the year. Out: tokens
[B, K, D] for `Conditioning.trend`. A sample without a past, or one whose trend is dropped, is drawn with those tokens
masked, which is exactly how a pipeline without trend draws. Knows nothing of files and data sets.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.weeks import Week

CONFIG, WEIGHTS = "config.json", "model.safetensors"
FOLDER = "trend"  # beside unet/ in a pipeline folder
WEEKS_PER_YEAR = 52.1775


class TrendEncoder(nn.Module):
    """Learned queries read the past articles; an article's weight enters as log weight, so 0 means unseen.

    Args:
        feature_dim: size of a CLIP embedding.
        width: size of a token, the UNet's cross_attention_dim.
        num_tokens: tokens given.
        hidden: size inside.
        num_past_weeks, temporal_weight_decay: of the past that it was trained on; who draws with it makes the same.
    """

    def __init__(
        self,
        feature_dim: int,
        width: int,
        num_tokens: int = 4,
        hidden: int = 128,
        num_past_weeks: int = 4,
        temporal_weight_decay: float = 0.8,
    ) -> None:
        super().__init__()
        self.settings = {"feature_dim": feature_dim, "width": width, "num_tokens": num_tokens, "hidden": hidden}
        self.settings |= {"num_past_weeks": num_past_weeks, "temporal_weight_decay": temporal_weight_decay}
        self.num_past_weeks, self.temporal_weight_decay = num_past_weeks, temporal_weight_decay
        self.queries = nn.Parameter(torch.randn(num_tokens, hidden) * hidden**-0.5)
        self.keys, self.values = nn.Linear(feature_dim, hidden), nn.Linear(feature_dim, hidden)
        self.categories = nn.Embedding(len(CATEGORIES), hidden)
        self.season = nn.Linear(2, hidden)
        self.norm, self.out = nn.LayerNorm(hidden), nn.Linear(hidden, width)
        # Tokens as large as text states (0.9 a component): smaller ones are hardly heard and hardly learn, and these
        # change the error of a model that never saw them by 2 % (docs/LOG.md).
        nn.init.normal_(self.out.weight, std=hidden**-0.5)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, items: torch.Tensor, weights: torch.Tensor, category: torch.Tensor, season: torch.Tensor
    ) -> torch.Tensor:
        """Tokens [B, K, width].

        Args:
            items: [B, N, feature_dim] embeddings of length 1; what stands where the weight is 0 does not matter.
            weights: [B, N], each row summing to 1, or to 0 without a past.
            category: int [B], place in CATEGORIES.
            season: [B, 2], sine and cosine of the week of the year.
        """
        scaled = items * math.sqrt(items.shape[2])  # about 1 per component
        keys = self.keys(scaled)
        logits = torch.einsum("kh,bnh->bkn", self.queries, keys) * keys.shape[2] ** -0.5
        has_past = weights.sum(dim=1) > 0
        log_weights = weights.clamp(min=1e-30).log().masked_fill(weights == 0, -torch.inf)
        log_weights = torch.where(has_past[:, None], log_weights, 0.0)  # such tokens are masked, but must be finite
        read = torch.softmax(logits + log_weights[:, None], dim=2) @ self.values(scaled)
        context = (self.categories(category) + self.season(season))[:, None]
        return self.out(self.norm(read + self.queries + context))

    def save(self, folder: Path) -> None:
        """Write config.json and model.safetensors."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).write_text(json.dumps(self.settings, indent=1) + "\n", encoding="utf-8")
        save_file({n: t.detach().cpu().contiguous() for n, t in self.state_dict().items()}, folder / WEIGHTS)


def load_trend_encoder(folder: Path) -> TrendEncoder:
    """Read what `TrendEncoder.save` wrote.

    Raises:
        FileNotFoundError, ValueError: naming the file.
    """
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"trend encoder: {folder / name} is missing. Restore the folder.")
    try:
        encoder = TrendEncoder(**json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        encoder.load_state_dict(load_file(folder / WEIGHTS))
    except (SafetensorError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"trend encoder: {folder} is damaged ({error}). Restore the folder.") from error
    return encoder


def season_of(week: Week | None) -> tuple[float, float]:
    """Sine and cosine of the week of the year; (0, 0) of an undated article, as of no season."""
    if week is None:
        return 0.0, 0.0
    angle = 2 * math.pi * (week.number % WEEKS_PER_YEAR) / WEEKS_PER_YEAR
    return math.sin(angle), math.cos(angle)


class LatentFeatures(nn.Module):
    """Frozen features of a garment's latents: colour and texture, wherever it lies in the picture.

    Mean and spread of each channel inside the mask, and mean answers of random filters (keyed by the seed), which tell
    textures apart without any training; standardised with `fit`.
    """

    def __init__(self, channels: int, *, num_filters: int = 24, seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        filters = torch.randn(num_filters, channels, 3, 3, generator=generator) / math.sqrt(9 * channels)
        self.register_buffer("filters", filters)
        size = 2 * channels + num_filters
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("spread", torch.ones(size))

    def forward(self, latents: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """[B, F] of latents [B, C, h, w] inside masks [B, 1, h, w]."""
        return (self.raw(latents.float(), mask.float()) - self.mean) / self.spread

    def raw(self, latents: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Before they are standardised."""
        inside = mask.sum(dim=(2, 3)).clamp(min=1)
        mean = (latents * mask).sum(dim=(2, 3)) / inside
        spread = (((latents - mean[:, :, None, None]) * mask).square().sum(dim=(2, 3)) / inside + 1e-6).sqrt()
        answers = F.relu(F.conv2d(latents, self.filters, padding=1))
        return torch.cat([mean, spread, (answers * mask).sum(dim=(2, 3)) / inside], dim=1)

    @torch.no_grad()
    def fit(self, raw: torch.Tensor) -> None:
        """Take mean and spread from many articles' raw features [A, F]."""
        self.mean.copy_(raw.mean(dim=0))
        if len(raw) > 1:
            self.spread.copy_(raw.std(dim=0).clamp(min=1e-3))

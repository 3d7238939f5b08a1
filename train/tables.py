"""One row for each article: its CLIP embedding, kept on disk, and features of its latents.

In: a data set folder, a CLIP, a `CachedDataset`. Out: `ArticleTable`. Past and next weeks name articles; everything
that is compared with them stands here. Knows nothing of batches.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from fashiondistill.data.folders import open_folder
from fashiondistill.data.samplefiles import read_picture
from fashiondistill.data.vitonhd import SPLITS
from fashiondistill.diffusion.caches import CachedDataset, weights_id
from fashiondistill.diffusion.trend import LatentFeatures
from fashiondistill.images import to_model
from fashiondistill.scoring import ClipScorer

CHUNK = 32


@dataclass(frozen=True, eq=False)
class ArticleTable:
    """Articles that a split may know: its own and those of earlier splits.

    Attributes:
        article_ids: one for each row.
        row_of: article id -> row.
        embeddings: float32 [A, D] of length 1, on the scorer's device.
    """

    article_ids: tuple[str, ...]
    row_of: dict[str, int]
    embeddings: torch.Tensor

    def rows(self, article_ids: Sequence[str]) -> torch.Tensor:
        """Embeddings of some articles, [n, D]."""
        return self.embeddings[[self.row_of[one] for one in article_ids]]


def embed_articles(root: Path, split: str, scorer: ClipScorer, cache: Path, *, shape: str) -> ArticleTable:
    """CLIP embeddings of the pictures of all articles up to a split, in the order of their ids.

    Args:
        root: data set folder.
        split: articles of later splits are not looked at.
        scorer: the CLIP.
        cache: folder; a change of any picture, of CLIP's weights or of `shape` makes a new file.
        shape: how pictures of other proportions become 512 x 384.

    Raises:
        FileNotFoundError, ValueError: naming the picture that cannot be read.
    """
    known = SPLITS[: SPLITS.index(split) + 1]
    paths = {item.article_id: item.image for item in reversed(open_folder(root).items) if item.split in known}
    ids = tuple(sorted(paths))
    digest = hashlib.sha256(f"1/{shape}/{weights_id(scorer.model, str(scorer.size))}".encode())
    for one in ids:
        digest.update(one.encode() + hashlib.sha256(paths[one].read_bytes()).digest())
    path = cache / "clip" / f"{digest.hexdigest()}.safetensors"
    if not path.is_file():
        parts = []
        for start in tqdm(range(0, len(ids), CHUNK), desc="embedding articles", unit="batch"):
            pictures = [read_picture(paths[one], shape).pixels for one in ids[start : start + CHUNK]]
            parts.append(scorer.embed_pixels(torch.stack([torch.from_numpy(to_model(p)) for p in pictures])).cpu())
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        save_file({"embeddings": torch.cat(parts)}, part)
        os.replace(part, path)
    try:
        embeddings = load_file(path)["embeddings"]
    except (SafetensorError, OSError, KeyError) as error:
        raise ValueError(f"cache: {path} cannot be read ({error}). Delete it and start again.") from error
    return ArticleTable(ids, {one: row for row, one in enumerate(ids)}, embeddings.to(scorer.device))


def latent_table(
    cached: CachedDataset, table: ArticleTable, device: torch.device
) -> tuple[LatentFeatures, torch.Tensor]:
    """Features [A, F] of the latents of every article of a split, and the module that makes them of others.

    Rows of articles that the split does not hold are zeros; of its own past none is missing in training.
    """
    first = {item.article_id: index for index, item in reversed(list(enumerate(cached.dataset.items)))}
    samples = {one: cached[index] for one, index in sorted(first.items())}
    features = LatentFeatures(next(iter(samples.values())).latents.shape[0])
    raw = torch.stack([features.raw(s.latents[None].float(), s.mask[None].float())[0] for s in samples.values()])
    features.fit(raw)
    rows = torch.zeros(len(table.article_ids), raw.shape[1])
    rows[[table.row_of[one] for one in samples]] = (raw - features.mean) / features.spread
    return features.to(device), rows.to(device)

"""Ranking by CLIP: similarity to the week's bestsellers (CLIP-I) and to the words (CLIP-T), every term kept.

In: `Design`s and the bestsellers' pictures. Out: `ScoredDesign`s. Knows nothing of sales or pages. CLIPScore without
its rescaling factor (Hessel et al. 2021): plain cosine similarities, so that figures stay comparable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import CLIPTokenizer

from fashiondistill.config import GROUND, GenerateConfig
from fashiondistill.design import Design, ScoredDesign
from fashiondistill.images import to_model

CONFIG, WEIGHTS, TOKENIZER = "open_clip_config.json", "open_clip_model.safetensors", "tokenizer/tokenizer.json"


@dataclass(frozen=True, eq=False)
class References:
    """The bestsellers that a design is compared with: ids and normalised embeddings [N, D]."""

    article_ids: tuple[str, ...]
    embeddings: np.ndarray


def clip_within(folder: str | Path) -> Path:
    """Where a folder's CLIP is: a training stage and a pipeline have it in clip/, else it is the folder itself."""
    inside = Path(folder) / "clip"
    return inside if inside.is_dir() else Path(folder)


class ClipScorer:
    """An open_clip model from a local folder, with its tokenizer.

    Embeddings are float32 numpy arrays of length 1, so that dot products are cosines.
    """

    def __init__(self, model: open_clip.CLIP, tokenizer: CLIPTokenizer, preprocess: dict, device: str) -> None:
        self.model, self.tokenizer, self.device = model.to(device).eval().requires_grad_(False), tokenizer, device
        self.size = tuple(model.visual.image_size)
        self.mean = torch.tensor(preprocess["mean"], device=device).view(1, 3, 1, 1)
        self.std = torch.tensor(preprocess["std"], device=device).view(1, 3, 1, 1)

    @classmethod
    def load(cls, folder: Path, device: str = "auto") -> ClipScorer:
        """Load open_clip_config.json, open_clip_model.safetensors and tokenizer/tokenizer.json from `folder`.

        Raises:
            FileNotFoundError: naming the missing file.
            ValueError: if the configuration or the weights cannot be read.
        """
        for name in (CONFIG, WEIGHTS, TOKENIZER):
            if not (folder / name).exists():
                raise FileNotFoundError(
                    f"CLIP: {folder / name} is missing. Restore the folder, or give another --model."
                )
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"CLIP: {folder / CONFIG} is damaged ({error}). Restore the file.") from error
        model = open_clip.CLIP(**config["model_cfg"])
        try:
            model.load_state_dict(load_file(folder / WEIGHTS))
        except (SafetensorError, RuntimeError) as error:
            raise ValueError(f"CLIP: {folder / WEIGHTS} is damaged or of another model ({error}).") from error
        tokenizer = CLIPTokenizer.from_pretrained((folder / TOKENIZER).parent, local_files_only=True)
        return cls(model, tokenizer, config["preprocess_cfg"], device)

    def embed_images(self, images: list[np.ndarray]) -> np.ndarray:
        """uint8 pictures [H, W, 3] of one size -> [N, D]."""
        return self.embed_pixels(torch.from_numpy(to_model(np.stack(images)))).cpu().numpy()

    @torch.inference_mode()
    def embed_pixels(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pictures [N, 3, H, W] in [-1, 1], as a decoder gives them -> float32 [N, D] on the scorer's device.

        For a CLIP of other proportions they get a border of the flat ground, so that nothing is squeezed or cut off.
        """
        pixels = self._padded(pixels.to(self.device, torch.float32))
        pixels = F.interpolate(pixels, self.size, mode="bilinear", antialias=True, align_corners=False)
        pixels = ((pixels + 1) / 2 - self.mean) / self.std
        return self.model.encode_image(pixels, normalize=True).float()

    def _padded(self, pixels: torch.Tensor) -> torch.Tensor:
        """Grown to the proportions of CLIP's own size."""
        height, width = pixels.shape[2:]
        more_rows = max(0, round(width * self.size[0] / self.size[1]) - height)
        more_columns = max(0, round(height * self.size[1] / self.size[0]) - width)
        if max(more_rows / height, more_columns / width) < 0.01:
            return pixels
        left, top = more_columns // 2, more_rows // 2
        border = (left, more_columns - left, top, more_rows - top)
        return F.pad(pixels, border, value=GROUND / 127.5 - 1)

    @torch.inference_mode()
    def embed_texts(self, texts: list[str]) -> np.ndarray:
        """Texts -> [N, D].

        Raises:
            ValueError: if a text is longer than the tower's context; nothing is cut off.
        """
        limit = self.model.context_length
        ids = self.tokenizer(texts, padding="max_length", max_length=limit).input_ids
        longest = max(len(row) for row in ids)
        if longest > limit:
            raise ValueError(f"prompt has {longest} tokens, CLIP takes {limit}. Shorten it; nothing is cut off.")
        return self.model.encode_text(torch.tensor(ids, device=self.device), normalize=True).float().cpu().numpy()

    def references(self, pictures: Mapping[str, np.ndarray]) -> References:
        """Embed the bestsellers' pictures, keyed by article id.

        Raises:
            ValueError: if there is none.
        """
        if not pictures:
            raise ValueError(
                "bestsellers: none has a picture to compare with. "
                "Choose a week with sales, or check images/ of the catalogue."
            )
        return References(tuple(pictures), self.embed_images(list(pictures.values())))


@dataclass(frozen=True)
class PictureScore:
    """A picture from anywhere with every term of its rank.

    Attributes:
        index: place among the pictures given, from 0.
        clip_i: cosine similarity to the reference bestsellers, mean over the set; in [-1, 1].
        clip_t: cosine similarity to the words; None where none were given.
        combined: weighted sum of the two; clip_i alone where there are no words.
        similarities: (article id, cosine) of each reference, most similar first.
        rank: 1 = best.
    """

    index: int
    clip_i: float
    clip_t: float | None
    combined: float
    similarities: tuple[tuple[str, float], ...]
    rank: int


def rank_pictures(
    pictures: list[np.ndarray], scorer: ClipScorer, references: References, *, prompt: str, config: GenerateConfig
) -> list[PictureScore]:
    """Best first, by the weights of `config`; ties go to the picture given first.

    Args:
        pictures: uint8 [512, 384, 3].
        prompt: what they should show; "" leaves the words out of the ranking.

    Raises:
        ValueError: if the prompt is longer than CLIP reads.
    """
    words = scorer.embed_texts([prompt])[0] if prompt else None
    scored = []
    for index, picture in enumerate(pictures):
        image = scorer.embed_images([picture])[0]
        found = zip(references.article_ids, map(float, references.embeddings @ image), strict=True)
        cosines = sorted(found, key=lambda one: -one[1])
        clip_i = sum(cosine for _, cosine in cosines) / len(cosines)
        clip_t = None if words is None else float(image @ words)
        combined = clip_i if clip_t is None else config.clip_i_weight * clip_i + config.clip_t_weight * clip_t
        scored.append(PictureScore(index, clip_i, clip_t, combined, tuple(cosines), 0))
    ordered = sorted(scored, key=lambda one: (-one.combined, one.index))
    return [replace(one, rank=rank) for rank, one in enumerate(ordered, start=1)]


def score_design(design: Design, scorer: ClipScorer, references: References) -> ScoredDesign:
    """Every term of one design's rank; the rank itself is 0 until `rank_designs`."""
    image = scorer.embed_images([design.image])[0]
    return score_embedded(design, image, scorer.embed_texts([design.request.prompt])[0], references)


def score_embedded(design: Design, image: np.ndarray, text: np.ndarray, references: References) -> ScoredDesign:
    """`score_design`, from the embeddings [D] of its picture and its words."""
    config = design.request.config
    similarities = references.embeddings @ image
    clip_i, clip_t = float(similarities.mean()), float(image @ text)
    return ScoredDesign(
        design=design,
        clip_i=clip_i,
        clip_t=clip_t,
        combined=config.clip_i_weight * clip_i + config.clip_t_weight * clip_t,
        nearest_article_id=references.article_ids[int(similarities.argmax())],
        rank=0,
    )


def rank_designs(scored: list[ScoredDesign]) -> list[ScoredDesign]:
    """Best combined score first, rank 1; ties go to the candidate drawn first."""
    ordered = sorted(scored, key=lambda one: (-one.combined, one.design.index))
    return [replace(one, rank=rank) for rank, one in enumerate(ordered, start=1)]

"""Three judgements of a candidate by CLIP: picture against pictures, picture against words, words against words.

In: pictures on the device, [-1, 1], and facts of their samples. Out: `Judgements`, and one score from them. Targets are
what sold in the week after, of the training split only. Knows nothing of how candidates are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from fashiondistill.data.dataset import GarmentDataset, SampleFacts
from fashiondistill.scoring import ClipScorer
from train.tables import ArticleTable


@dataclass(frozen=True, eq=False)
class Judgements:
    """Cosines [P, K] of K candidates for each of P prompts.

    Attributes:
        image_image: candidate against the mean similarity to the target pictures.
        image_text: candidate against its prompt.
        text_text: what the candidate shows, in words, against the targets' captions.
    """

    image_image: torch.Tensor
    image_text: torch.Tensor
    text_text: torch.Tensor

    def terms(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """In the order of the weights."""
        return self.image_image, self.image_text, self.text_text

    def score(self, weights: Sequence[float]) -> torch.Tensor:
        """Weighted sum of z values [P, K], in pooled standard deviations of the sum within a prompt.

        A term's unit is its spread among the candidates of a prompt, pooled over all prompts: with two candidates a
        prompt's own spread would make every pair equally far apart.
        """
        total = sum(weight * _z(term) for weight, term in zip(weights, self.terms(), strict=True) if weight)
        return _z(total)


class Reward:
    """Judges candidates of the samples of one data set.

    Args:
        scorer: the CLIP that rewards; it must not be the one that judges the result.
        table: embeddings of the split's articles.
        dataset: its captions.
        target: "next_week" or "own".
    """

    def __init__(self, scorer: ClipScorer, table: ArticleTable, dataset: GarmentDataset, target: str) -> None:
        self.scorer, self.table, self.dataset, self.target = scorer, table, dataset, target
        captions = sorted({dataset.captions[item.article_id] for item in dataset.items})
        texts = [scorer.embed_texts(captions[n : n + 256]) for n in range(0, len(captions), 256)]
        self.texts = torch.cat([torch.from_numpy(part) for part in texts]).to(scorer.device)
        self.row_of_caption = {caption: row for row, caption in enumerate(captions)}

    def targets(self, facts: SampleFacts) -> tuple[str, ...]:
        """The articles that a sample's candidates should come near to; () if it has none."""
        return (facts.article_id,) if self.target == "own" else facts.next_ids

    @torch.no_grad()
    def judge(self, pixels: torch.Tensor, facts: Sequence[SampleFacts]) -> Judgements:
        """Judge [P * K, 3, H, W] candidates, those of a prompt together, P = len(facts)."""
        images = self.scorer.embed_pixels(pixels).view(len(facts), -1, self.texts.shape[1])
        prompts = self.texts[[self.row_of_caption[one.caption] for one in facts]]
        shown = F.normalize(torch.softmax(self._scale() * images @ self.texts.T, dim=2) @ self.texts, dim=2)
        image_image, text_text = [], []
        for number, one in enumerate(facts):
            ids = self.targets(one)
            image_image.append((images[number] @ self.table.rows(ids).T).mean(dim=1))
            words = self.texts[[self.row_of_caption[self.dataset.captions[i]] for i in ids]]
            text_text.append((shown[number] @ words.T).mean(dim=1))
        image_text = torch.einsum("pkd,pd->pk", images, prompts)
        return Judgements(torch.stack(image_image), image_text, torch.stack(text_text))

    def _scale(self) -> torch.Tensor:
        return self.scorer.model.logit_scale.exp()


def _z(values: torch.Tensor) -> torch.Tensor:
    """Deviation from each row's mean in units of the pooled deviation within rows; 0 where nothing differs."""
    centred = values - values.mean(dim=1, keepdim=True)
    pooled = (centred.square().sum() / (centred.numel() - len(centred))).sqrt()
    return centred / pooled if pooled > 1e-8 else torch.zeros_like(centred)


def saturation(pixels: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean HSV saturation [B] inside the mask [B, 1, H, W]; pixels [B, 3, H, W] in [-1, 1]."""
    colours = ((pixels + 1) / 2).clamp(0, 1)
    high, low = colours.amax(dim=1, keepdim=True), colours.amin(dim=1, keepdim=True)
    values = (high - low) / high.clamp(min=1e-3)
    return (values * mask).sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3)).clamp(min=1)

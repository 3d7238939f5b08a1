"""The words that a data set's pictures are drawn with, a week or more ahead: from the past only, or the true ones.

In: a data set, `PredictConfig`, and a shop's sales if they are given. Out: `Told`: a prompt and where it came from.
Knows nothing of models that draw.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from fashiondistill.config import PredictConfig
from fashiondistill.data.dataset import GarmentDataset
from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week
from fashiondistill.forecast.captions import WeightedCaption, in_training_words, typical_caption
from fashiondistill.forecast.language import Writer, load_writer
from fashiondistill.forecast.words import describe_next_week


@dataclass(frozen=True)
class Told:
    """A prompt and where its words came from; product and week of the true caption in oracle mode."""

    prompt: str
    source: str
    base_text: str
    sources: dict[str, tuple[str, ...]]
    product: str = ""
    week: str = ""


class Prompts:
    """The words that each sample is drawn from."""

    def __init__(self, dataset: GarmentDataset, config: PredictConfig) -> None:
        self.dataset, self.config = dataset, config
        self.shop = Shop.open(Path(config.catalogue)) if config.catalogue else None
        self.writer: Writer | None = load_writer(config.language_model) if config.language_model else None
        self._by_week: dict[tuple[str, Week | None], list[str]] = defaultdict(list)
        for item in dataset.items:
            self._by_week[item.category, item.week].append(item.article_id)
        self._known: dict[tuple[str, Week], Told | None] = {}

    def of(self, number: int) -> Told | None:
        """The sample's prompt; None if there is nothing to make it from."""
        item = self.dataset.items[number]
        if item.week is None:
            return None
        if self.config.mode == "oracle":
            return self._oracle(item.category, item.week, item.article_id)
        key = (item.category, item.week)
        if key not in self._known:
            self._known[key] = self._of_sales(*key) if self.shop else self._of_captions(number)
        return self._known[key]

    def _oracle(self, category: str, week: Week, article_id: str) -> Told | None:
        """The caption of one article of the week to come, drawn by SHA-256 of the sample."""
        target = week.shift(self.config.predict_future_weeks)
        ids = sorted(self._by_week.get((category, target), ()))
        if not ids:
            return None
        chosen = ids[key_number(f"{self.config.seed}/{category}/{week}/{article_id}/next") % len(ids)]
        caption = self.dataset.captions[chosen]
        return Told(self._worded(caption), "true caption of the week to come", caption, {}, chosen, target.key)

    def _worded(self, caption: str) -> str:
        return in_training_words(caption) if self.config.prompt_words == "training" else caption

    def _of_captions(self, number: int) -> Told | None:
        """The most typical caption of the base picture's week and the weeks before it, weighted by age."""
        item, facts = self.dataset.items[number], self.dataset.facts(number)
        captions, decay = self.dataset.captions, self.config.temporal_weight_decay
        known = [
            WeightedCaption(article_id, item.week.key, captions[article_id], 1.0)
            for article_id in sorted(self._by_week[item.category, item.week])
        ]
        for past in facts.past:
            known += [WeightedCaption(one, past.week.key, captions[one], decay**past.age) for one in past.article_ids]
        found = typical_caption(known)
        return Told(
            self._worded(found.caption),
            f"most typical caption of {len(known)} in past weeks",
            found.caption,
            dict(found.sources),
        )

    def _of_sales(self, category: str, week: Week) -> Told | None:
        """The forecast of the week that is drawn, from the shop's sales up to the base picture's week."""
        target = week.shift(self.config.predict_future_weeks)
        described = describe_next_week(self.shop, category, week, target=target)
        if not described.text:
            return None
        sources = {phrase.words: phrase.article_ids for phrase in described.phrases}
        prompt = self.writer(described) if self.writer else described.text
        return Told(prompt, "forecast of the shop's sales", described.text, sources)


def key_number(text: str) -> int:
    """32 bits of the SHA-256 of a text: the same in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")

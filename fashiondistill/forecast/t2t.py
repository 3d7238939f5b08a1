"""T2T: how near a description of next week is to the captions of what then sold, beside persistence and chance.

In: a `Shop`, and a function that embeds texts (a CLIP text tower). Out: `T2tScore` per category, with 95 % intervals by
blocks of weeks. The score of a week is the mean cosine to the captions of all its bestsellers; upstream took the best
of the set, which nearly any text reaches. Knows nothing of how texts are embedded: the tower that judges should not be
the one that a model was trained with, and the caller says which it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from fashiondistill.data.categories import get_category
from fashiondistill.data.shop import Bestseller, Shop
from fashiondistill.data.weeks import Week
from fashiondistill.forecast.measures import bootstrap_interval
from fashiondistill.forecast.words import Embed, describe_next_week

BLOCK = 4  # weeks drawn together


@dataclass(frozen=True)
class T2tScore:
    """Mean cosine over weeks, each with its 95 % interval.

    Attributes:
        category: folder name.
        num_weeks: that were described.
        forecast: of `describe_next_week` with this encoder.
        by_shares: of the same without an encoder: the words with the largest forecast shares.
        last_week: of the caption of last week's bestsellers that is most like the others.
        random_week: the same of a week drawn from the past.
        gain: forecast minus last week, week by week.
    """

    category: str
    num_weeks: int
    forecast: tuple[float, float, float]  # mean, low, high; so are the next four
    by_shares: tuple[float, float, float]
    last_week: tuple[float, float, float]
    random_week: tuple[float, float, float]
    gain: tuple[float, float, float]


def t2t_score(shop: Shop, category: str, weeks: Sequence[Week], embed: Embed, *, seed: int = 0) -> T2tScore:
    """Describe the week after each of `weeks` and compare with what sold.

    Args:
        shop: the catalogue.
        category: folder name.
        weeks: last known weeks; those without bestsellers in them or in the week after are left out.
        embed: of the judging CLIP.
        seed: of the random weeks.

    Raises:
        ValueError: for an unknown category, or if none of the weeks can be judged.
    """
    folder = get_category(category).folder
    texts = _Texts(embed)
    rng = np.random.default_rng(seed)
    complete = [week for week in shop.weeks if not shop.is_partial(week) and shop.bestsellers(folder, week)]
    usable = [week for week in weeks if week in complete and week.shift(1) in complete]
    if not usable:
        raise ValueError(f"{folder} has no two complete weeks in a row among those given: choose others.")
    rows = []
    for week in tqdm(usable, desc=f"describing {folder}", unit="week", disable=len(usable) < 20):
        real = texts.of([item.caption for item in shop.bestsellers(folder, week.shift(1))])
        past = [one for one in complete if one <= week]
        chance = past[int(rng.integers(len(past)))]
        told = [
            describe_next_week(shop, folder, week, embed=texts.of).text,
            describe_next_week(shop, folder, week).text,
            texts.most_typical(shop.bestsellers(folder, week)),
            texts.most_typical(shop.bestsellers(folder, chance)),
        ]
        rows.append((texts.of(told) @ real.T).mean(axis=1))
    table = np.array(rows)  # [weeks, 4]
    columns = [*table.T, table[:, 0] - table[:, 2]]
    figures = [(float(one.mean()), *bootstrap_interval(one, np.mean, block=BLOCK)) for one in columns]
    return T2tScore(folder, len(table), *figures)


class _Texts:
    """Embeddings of texts, each made once."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._known: dict[str, np.ndarray] = {}

    def of(self, texts: Sequence[str]) -> np.ndarray:
        """[N, D]."""
        missing = sorted({text for text in texts if text not in self._known})
        if missing:
            self._known |= dict(zip(missing, self._embed(missing), strict=True))
        return np.stack([self._known[text] for text in texts])

    def most_typical(self, items: Sequence[Bestseller]) -> str:
        """The caption with the highest mean similarity to all; the better rank among equals."""
        captions = [item.caption for item in items]
        embedded = self.of(captions)
        return captions[int(np.argmax((embedded @ embedded.T).mean(axis=1).round(6)))]

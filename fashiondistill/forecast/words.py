"""Words for next week: a description per category, forecast from the past only, every phrase linked to bestsellers.

In: a `Shop`, the last week that may be read and, if there is one, a text encoder. Out: `Description`: the words of
something sold lately, each with its forecast share, interval, method and sources, and captions of the bestsellers that
are nearest to it. With an encoder they are those of the bestseller that is most like all bestsellers of the last weeks,
younger ones counting more; without one, those whose forecast shares add up to most. The former came nearer to what then
sold (docs/LOG.md). Knows nothing of models; `language` may put it in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from fashiondistill.data.attributes import COLOUR_BY_WORD, PATTERNS, compose_caption
from fashiondistill.data.categories import get_category
from fashiondistill.data.cube import ATTRIBUTES
from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week
from fashiondistill.forecast.methods import MIN_PAST
from fashiondistill.forecast.shares import (
    MAX_HORIZON,
    ShareForecast,
    WordForecast,
    complete_shares,
    forecast_shares,
)

SPAN = 4  # weeks in which something must have been sold to lend its words
DECAY = 0.8  # weight of a week's captions over those of the week after it
NUM_SOURCES = 5
NUM_CAPTIONS = 3
ORDER = ("colour", "pattern", "type")  # of the words in a caption
Embed = Callable[[list[str]], np.ndarray]  # texts -> [N, D], rows of length 1


@dataclass(frozen=True)
class ForecastPhrase:
    """A word of the description and where it came from.

    Attributes:
        words: for example "beige".
        attribute: "colour", "pattern" or "type".
        share_now: of the category's units, in the last week that was read.
        share_next: forecast of the week described.
        low, high: its 80 % interval; None where too little is known.
        method: that made the forecast.
        article_ids: the best-selling articles with that word in the last four weeks, best first.
    """

    words: str
    attribute: str
    share_now: float
    share_next: float
    low: float | None
    high: float | None
    method: str
    article_ids: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """What the bestsellers of a week to come are expected to look like.

    Attributes:
        category: folder name.
        week: key of the week described.
        text: in the words of training captions, "" without sales to forecast from.
        phrases: its words, in the order of the text.
        captions: (article id, caption) of bestsellers of the last weeks that share most words with it, best first.
    """

    category: str
    week: str
    text: str
    phrases: tuple[ForecastPhrase, ...]
    captions: tuple[tuple[str, str], ...]


def describe_next_week(
    shop: Shop, category: str, week: Week | str, *, target: Week | None = None, embed: Embed | None = None
) -> Description:
    """Describe a week from the sales up to `week`; nothing after that is read.

    Args:
        shop: the catalogue.
        category: folder name.
        week: the last that may be read.
        target: the week to describe; None = the one after the last complete one up to `week`.
        embed: of a text encoder, for example CLIP's.

    Returns:
        The description; with text "" where less than eight weeks are known, or the target lies more than eight weeks
        after the last complete one.

    Raises:
        ValueError: for an unknown category, a week that is not understood, or a target that is not after `week`.
    """
    folder = get_category(category).folder
    last = Week.parse(week) if isinstance(week, str) else week
    if target is not None and target <= last:
        raise ValueError(f"target {target} is not after {last}: choose a later week.")
    known = complete_shares(shop, folder, ATTRIBUTES[0], last)[0]
    origin = Week.parse(known[-1]) if known else last
    target = target or origin.shift(1)
    horizon = target - origin
    if len(known) < MIN_PAST or horizon > MAX_HORIZON:
        return Description(folder, target.key, "", (), ())
    forecasts = {name: forecast_shares(shop, folder, name, last, horizon=horizon) for name in ATTRIBUTES}
    sold = _sold(shop, folder, origin)
    chosen = (embed and _most_typical(shop, folder, origin, embed)) or _likeliest(sold, forecasts)
    if chosen is None:
        return Description(folder, target.key, "", (), ())
    text = compose_caption(colours=[chosen["colour"]], pattern=chosen["pattern"], garment=chosen["type"])
    phrases = tuple(_phrase(name, forecasts[name], chosen[name], sold) for name in ORDER)
    return Description(folder, target.key, text, phrases, _captions(shop, folder, origin, chosen))


def _sold(shop: Shop, folder: str, last: Week) -> pl.DataFrame:
    """Articles of the category sold in the weeks up to `last`: article_id, units, the words; best first."""
    keys = [last.shift(-back).key for back in range(SPAN)]
    words = shop.articles.filter(pl.col("category") == folder).select("article_id", *ATTRIBUTES)
    return (
        shop.units_in(keys)
        .join(words, on="article_id")  # before adding up: a category has a fraction of the rows
        .group_by("article_id")
        .agg(pl.col("units").sum(), pl.col(ATTRIBUTES).first())
        .sort("units", "article_id", descending=[True, False])
    )


def _most_typical(shop: Shop, folder: str, last: Week, embed: Embed) -> dict[str, str] | None:
    """Words of the bestseller whose caption is most like those of all bestsellers of the weeks up to `last`.

    That maximises the expected likeness to next week's captions if they are drawn as the last weeks' were; a single
    week is too noisy a guess at them. The youngest and best ranked among equals.
    """
    weights: dict[str, float] = {}
    found: dict[str, dict[str, str]] = {}
    known = set(shop.weeks)
    words = shop.articles.filter(pl.col("category") == folder).select("article_id", *ATTRIBUTES)
    words_of = {article_id: row for article_id, *row in words.iter_rows()}
    for age in range(SPAN):
        week = last.shift(-age)
        for item in shop.bestsellers(folder, week) if week in known else ():
            weights[item.caption] = weights.get(item.caption, 0.0) + DECAY**age
            found.setdefault(item.caption, dict(zip(ATTRIBUTES, words_of[item.article_id], strict=True)))
    if not found:
        return None
    embedded = embed(list(found))
    likeness = embedded @ (embedded.T @ np.array(list(weights.values())))
    return found[list(found)[int(likeness.round(6).argmax())]]


def _likeliest(sold: pl.DataFrame, forecasts: dict[str, ShareForecast]) -> dict[str, str] | None:
    """The words of a sold article whose forecast shares add up to most; only words that captions know."""
    shares = {name: {one.word: one.mean[-1] for one in forecast.words} for name, forecast in forecasts.items()}
    known = sold.filter(pl.col("colour").is_in(list(COLOUR_BY_WORD)) & pl.col("pattern").is_in(list(PATTERNS)))
    best, found = -1.0, None
    for row in known.unique(list(ATTRIBUTES), keep="first", maintain_order=True).iter_rows(named=True):
        total = sum(shares[name].get(row[name], 0.0) for name in ATTRIBUTES)
        if total > best:
            best, found = total, {name: row[name] for name in ATTRIBUTES}
    return found


def _phrase(attribute: str, forecast: ShareForecast, word: str, sold: pl.DataFrame) -> ForecastPhrase:
    one: WordForecast = next(entry for entry in forecast.words if entry.word == word)
    sources = sold.filter(pl.col(attribute) == word)["article_id"].head(NUM_SOURCES).to_list()
    bounds = one.low[-1], one.high[-1]
    return ForecastPhrase(word, attribute, one.now, one.mean[-1], *bounds, one.method, tuple(sources))


def _captions(shop: Shop, folder: str, last: Week, chosen: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Captions of recent bestsellers by the number of words that they share, then by week and rank."""
    known = set(shop.weeks)
    found: dict[str, tuple[int, str]] = {}
    for week in (last.shift(-back) for back in range(SPAN)):
        for item in shop.bestsellers(folder, week) if week in known else ():
            garment = item.caption.rpartition(f"{item.pattern} ")[2]
            words = {"colour": item.colours[0], "pattern": item.pattern, "type": garment}
            shared = sum(words[name] == chosen[name] for name in ORDER)
            found.setdefault(item.article_id, (shared, item.caption))
    order = sorted(found.items(), key=lambda entry: -entry[1][0])  # stable: latest week and best rank first
    return tuple((article_id, caption) for article_id, (_, caption) in order[:NUM_CAPTIONS])

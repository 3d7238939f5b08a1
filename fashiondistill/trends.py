"""What moves in the sales: weekly shares of an attribute, their momentum, a prompt with provenance, and a headline.

In: a `Shop`. Out: pandas frames and frozen dataclasses. Knows nothing of pictures, models or pages.

Shares, not volumes, since volumes follow stock and season. Windows end with a given week and never look past it; weeks
of which the data holds fewer than seven days (only the first and the last can be such) are left out of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import polars as pl

from fashiondistill.data.attributes import COLOUR_BY_WORD, PATTERNS, compose_caption
from fashiondistill.data.categories import get_category
from fashiondistill.data.cube import ATTRIBUTES
from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week

PARTIAL = "partial"  # key of DataFrame.attrs: week keys with fewer than seven days of data
SPAN = 4  # weeks in a window
SMOOTHING = 0.005  # added to shares before the log: a word that is new counts as having had half a percent
FLOOR = 0.05  # share of the window below which a rise is not worth a suggestion
NUM_SOURCES = 5  # articles named as the origin of a phrase
SPAN_WORDS = "four weeks"  # SPAN, for people
UNITS_OF = {
    "top5gub": "upper-body",
    "top5glb": "lower-body",
    "top5gfb": "full-body",
    "top5shoe": "shoe",
    "top5acc": "accessory",
    "top5underwear": "underwear",
}
# What `headline` says, by `Headline.kind`.
HEADLINES = {
    "no week": "There is no complete week of {units} units up to {week} to compare yet.",
    "first": "{word} leads with {now} % of {units} units; no earlier weeks to compare yet.",
    "no gain": "{word} leads with {now} % of {units} units; no colour gained.",
    "still": "{word} leads with {now} % of {units} units; colours hardly moved.",
    "grew": "{word} grew from {before} to {now} % of {units} units in " + SPAN_WORDS + ".",
}


@dataclass(frozen=True)
class TrendPhrase:
    """A word of the prompt and where it came from.

    Attributes:
        words: as in the prompt, for example "beige".
        attribute: "colour", "pattern" or "type".
        share_before: mean weekly share of the category's units in the window before, in [0, 1]; None without data.
        share_now: the same in the last window before the week.
        article_ids: the best-selling articles with that word in the last window, best first.
    """

    words: str
    attribute: str
    share_before: float | None
    share_now: float
    article_ids: tuple[str, ...]


@dataclass(frozen=True)
class TrendPrompt:
    """A suggestion for `week` from the sales before it.

    Attributes:
        text: in the words of training captions, for example "beige striped shirt"; "" without earlier sales.
        phrases: its words with their provenance, in the order of the text.
    """

    text: str
    phrases: tuple[TrendPhrase, ...]
    category: str
    week: str


@dataclass(frozen=True)
class Headline:
    """What moved in a week, to be said in any language.

    Attributes:
        kind: key of `HEADLINES`.
        category: folder name.
        week: key.
        word: the colour that gained most, or that leads; "" for "no week".
        before, now: its share in percent, as text, with as many digits as tell the two apart; "" where unknown.
    """

    kind: str
    category: str
    week: str
    word: str = ""
    before: str = ""
    now: str = ""


def attribute_shares(shop: Shop, category: str, attribute: str) -> pd.DataFrame:
    """Weekly shares of an attribute's words in a category.

    Args:
        shop: the catalogue.
        category: folder name.
        attribute: "colour", "type" or "pattern".

    Returns:
        Index: keys of the weeks in which the category sold, in order of time. Columns: words, in order of the
        alphabet. Values: share of the category's units in [0, 1]; rows sum to 1. `attrs["partial"]` names the weeks
        with fewer than seven days of data.

    Raises:
        ValueError: for an unknown category or attribute.
    """
    folder = get_category(category).folder
    if attribute not in ATTRIBUTES:
        raise ValueError(f"attribute {attribute!r} is unknown: choose one of {', '.join(ATTRIBUTES)}.")
    table = shop.cube.table(folder, attribute)
    totals = table.units.sum(axis=1, keepdims=True)
    sold = totals[:, 0] > 0
    shares = pd.DataFrame(
        table.units[sold] / totals[sold],
        index=pd.Index([key for key, kept in zip(table.weeks, sold, strict=True) if kept], name="week", dtype="str"),
        columns=pd.Index(table.words, name=attribute, dtype="str"),
    )
    shares.attrs[PARTIAL] = tuple(
        w.key for w in (shop.weeks[0], shop.weeks[-1]) if w.key in shares.index and shop.is_partial(w)
    )
    return shares


def momentum(shares: pd.DataFrame, week: Week | str, *, span: int = SPAN) -> pd.Series:
    """How fast each word gains: log of its share in the last `span` weeks minus log of its share in the `span` before.

    Args:
        shares: as `attribute_shares` gives them.
        week: last week of the later window; nothing after it is read. Partial weeks are left out.
        span: weeks of each window, at least 1.

    Returns:
        Natural log per word, finite also for shares of 0; 0.69 means twice the share. NaN for all words if one of the
        windows has no complete week.

    Raises:
        ValueError: if the week is not understood or span is below 1.
    """
    before, now = _windows(shares, week, span)
    return (np.log(now + SMOOTHING) - np.log(before + SMOOTHING)).rename("momentum")


def trend_prompt(shop: Shop, category: str, week: Week | str) -> TrendPrompt:
    """A prompt from what rose before `week`: rising colour, rising pattern, and the noun of the leading type.

    Only sales strictly before `week` count, so it is what could have been suggested on its Monday; the week itself
    may lie after the last sale. Words under `FLOOR` are left out, and so are patterns in which the type did not sell.
    Where nothing rises, the word with the largest share stands in. Ties go to the larger share, then the alphabet.

    Returns:
        The prompt; with text "" and no phrases where no complete week of sales lies in the four before `week`, or
        where nothing sold whose colour and pattern we have words for.

    Raises:
        ValueError: for an unknown category, or if the week is not understood.
    """
    folder = get_category(category).folder
    target = _parsed(week)
    last = target.shift(-1)
    tables = {attribute: attribute_shares(shop, folder, attribute) for attribute in ATTRIBUTES}
    empty = TrendPrompt("", (), folder, target.key)
    _, types = _windows(tables["type"], last, SPAN)
    if not types.notna().any():
        return empty
    noun = str(types.index[types.argmax()])
    sold = _sold_in(shop, folder, last)
    made_in = set(sold.filter(pl.col("type") == noun)["pattern"].to_list()) & set(PATTERNS)
    colour = _rising(tables["colour"], last, set(COLOUR_BY_WORD))
    pattern = _rising(tables["pattern"], last, made_in or set(PATTERNS))
    if colour is None or pattern is None:
        return empty
    text = compose_caption(colours=[colour], pattern=pattern, garment=noun)
    words = {"colour": colour, "pattern": pattern, "type": noun}
    phrases = tuple(_phrase(tables[attribute], last, sold, attribute, word) for attribute, word in words.items())
    return TrendPrompt(text, phrases, folder, target.key)


def headline(shop: Shop, category: str, week: Week | str) -> str:
    """One sentence on the colour that gained most up to and including `week`.

    For example "Beige grew from 8 to 13 % of upper-body units in four weeks.": means of the last four weeks and of the
    four before.

    Raises:
        ValueError: for an unknown category, or a week without sales.
    """
    found = headline_facts(shop, category, week)
    return HEADLINES[found.kind].format(
        word=found.word.capitalize(),
        before=found.before,
        now=found.now,
        units=UNITS_OF[found.category],
        week=found.week,
    )


def headline_facts(shop: Shop, category: str, week: Week | str) -> Headline:
    """What `headline` says, before it is put into words; raises as it does."""
    folder, target = get_category(category).folder, shop.week(week)
    shares = attribute_shares(shop, folder, "colour")
    before, now = _windows(shares, target, SPAN)
    if not now.notna().any():
        return Headline("no week", folder, target.key)
    leader = str(now.index[now.argmax()])
    leads = Headline("first", folder, target.key, leader, now=_percent(now[leader]))
    if not before.notna().any():
        return leads
    riser = _rising(shares, target, set(shares.columns))
    if riser is None or now[riser] <= before[riser]:
        return replace(leads, kind="no gain")
    then, today = _percent(before[riser]), _percent(now[riser])
    if then == today:
        then, today = _percent(before[riser], digits=1), _percent(now[riser], digits=1)
    if then == today:
        return replace(leads, kind="still")
    return Headline("grew", folder, target.key, riser, then, today)


def _parsed(week: Week | str) -> Week:
    return Week.parse(week) if isinstance(week, str) else week


def _window_keys(week: Week, span: int) -> list[str]:
    """Keys of the `span` weeks that end with `week`, oldest first."""
    return [week.shift(-number).key for number in reversed(range(span))]


def _windows(shares: pd.DataFrame, week: Week | str, span: int) -> tuple[pd.Series, pd.Series]:
    """Mean shares of the window before and of the one that ends with `week`; NaN where it has no complete week."""
    if span < 1:
        raise ValueError(f"span {span} is not usable: choose at least 1 week.")
    last = _parsed(week)
    complete = shares.index.difference(list(shares.attrs.get(PARTIAL, ())))
    windows = (_window_keys(last.shift(-span), span), _window_keys(last, span))
    before, now = (shares.loc[complete.intersection(keys)].mean(axis=0) for keys in windows)
    return before, now


def _rising(shares: pd.DataFrame, last: Week, allowed: set[str]) -> str | None:
    """The allowed word with the highest positive momentum and a share of `FLOOR`, else the one with the largest share.

    None if no allowed word sold.
    """
    _, now = _windows(shares, last, SPAN)
    gain = momentum(shares, last).fillna(0.0)
    words = [word for word in shares.columns if word in allowed and now[word] > 0]
    risers = [word for word in words if now[word] >= FLOOR and gain[word] > 0]
    if risers:
        return min(risers, key=lambda word: (-gain[word], -now[word], word))
    return min(words, key=lambda word: (-now[word], word), default=None)


def _sold_in(shop: Shop, folder: str, last: Week) -> pl.DataFrame:
    """Articles of the category sold in the window that ends with `last`: article_id, units, the words; best first."""
    articles = shop.articles.filter(pl.col("category") == folder).select("article_id", *ATTRIBUTES)
    return (
        shop.units_in(_window_keys(last, SPAN))
        .join(articles, on="article_id")  # before adding up: a category has a fraction of the rows
        .group_by("article_id")
        .agg(pl.col("units").sum(), pl.col(ATTRIBUTES).first())
        .sort("units", "article_id", descending=[True, False])
    )


def _phrase(shares: pd.DataFrame, last: Week, sold: pl.DataFrame, attribute: str, word: str) -> TrendPhrase:
    before, now = _windows(shares, last, SPAN)
    sources = sold.filter(pl.col(attribute) == word)["article_id"].head(NUM_SOURCES).to_list()
    then = None if pd.isna(before[word]) else float(before[word])
    return TrendPhrase(word, attribute, then, float(now[word]), tuple(sources))


def _percent(share: float, *, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f}"

"""The Trends tab as data: per plot a title, the figure, a sentence and a table; and the pictures that a click leads to.

In: an engine and what was chosen. Out: plain values that go to the page as JSON. Whatever a visitor can get wrong
becomes a `StudioError`. Knows nothing of gradio.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence

import numpy as np

from studio import errortexts, texts, trendtexts
from studio.checks import check_category, check_week
from studio.engine import ATTRIBUTES, DesignEngine
from studio.pictures import tile_picture
from studio.plots import shares_figure
from studio.state import BestsellerTile, StudioError
from studio.trendfacts import TrendFacts
from studio.trendplots import (
    forecast_figure,
    heat_figure,
    life_figure,
    map_figure,
    momentum_figure,
    ribbon_figure,
)

Rows = Iterable[Sequence[object]]
OwnDesigns = dict[str, list[np.ndarray]]  # category folder -> pictures of the visitor's latest request for it
NUM_PICTURES = 8


def board(engine: DesignEngine, category: str, attribute: str, week: str, own: list[np.ndarray]) -> tuple[str, str]:
    """The plots as JSON, and the sentence above them.

    Args:
        engine: of the page.
        category, attribute, week: as chosen; not to be trusted yet.
        own: pictures of the visitor's designs, for the map.

    Raises:
        StudioError: for an unknown category, attribute or week.
    """
    category, week = check_category(category), check_week(engine, week)
    if attribute not in ATTRIBUTES:
        raise StudioError(errortexts.unknown_attribute(attribute))
    facts = engine.trend_facts(category, attribute, week)
    points = engine.look_map(category, week, own)
    looks = engine.look_shares(category)
    lead = trendtexts.trend_words(facts.shares, week=week, category=category)
    shares = shares_figure(facts.shares, week=week)
    look_figure = shares_figure(looks, week=week, label=trendtexts.look_label)
    look_figure.update_yaxes(title_text=trendtexts.LOOK_SHARE_AXIS)
    cards = [
        _card("shares", facts, shares, lead, _wide_rows(facts.shares)),
        _card("forecast", facts, forecast_figure(facts), trendtexts.forecast_words(facts), _forecast_rows(facts)),
        _card("momentum", facts, momentum_figure(facts), trendtexts.momentum_words(facts), _signal_rows(facts)),
        _card("life", facts, life_figure(facts), trendtexts.life_words(facts), _signal_rows(facts)),
        _card(
            "map", facts, map_figure(points, week), trendtexts.map_words(points, week),
            [("x", "y", "article_id", "caption"), *((p.x, p.y, p.article_id, p.caption) for p in points)],
        ),
        _card("looks", facts, look_figure, trendtexts.look_words(looks, week), _wide_rows(looks)),
        _card("ribbon", facts, ribbon_figure(facts), trendtexts.ribbon_words(facts), _bestseller_rows(facts)),
        _card("heat", facts, heat_figure(facts), trendtexts.heat_words(facts), _category_rows(facts)),
    ]  # fmt: skip
    return json.dumps(cards), trendtexts.description_words(facts)


def keep_designs(own: OwnDesigns, category: str, pictures: list[np.ndarray]) -> OwnDesigns:
    """The visitor's designs with those of a category replaced by its latest."""
    return {**own, category: pictures}


def designs_of(own: OwnDesigns, category: object) -> list[np.ndarray]:
    """The visitor's latest designs of a category; a trousers' place among blouses would say nothing."""
    return own.get(category, []) if isinstance(category, str) else []


def _card(key: str, facts: TrendFacts, figure, words: str, rows: Rows) -> dict:  # noqa: ANN001 - go.Figure
    title = trendtexts.TITLES[key]
    subject = texts.CATEGORIES_INSIDE[facts.category]
    if key in ("shares", "forecast", "momentum", "life"):
        subject = f"{texts.ATTRIBUTES_INSIDE[facts.attribute]}, {subject}"
    return {
        "key": key,
        "title": title if key == "heat" else f"{title}: {subject}",
        "words": words,
        "figure": json.loads(figure.to_json()),
        "csv": _csv(rows),
        "file": f"{key}_{facts.category}_{facts.attribute}_{facts.week}",
    }


def _csv(rows: Rows) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _wide_rows(shares) -> Rows:  # noqa: ANN001 - DataFrame
    yield ("week", *shares.columns)
    for key, row in shares.iterrows():
        yield (key, *(round(float(value), 6) for value in row))


def _forecast_rows(facts: TrendFacts) -> Rows:
    yield (
        "word", "week", "forecast", "low_80", "high_80", "true_low_80", "true_high_80", "method", "wape", "mase",
        "skill", "coverage",
    )  # fmt: skip
    for one in facts.forecast.words:
        found = one.quality
        ends = (one.mean, one.low, one.high, one.true_low, one.true_high)
        for key, *shares in zip(facts.forecast.weeks, *ends, strict=True):
            yield (one.word, key, *shares, one.method, found.wape, found.mase, found.skill, found.coverage)


def _signal_rows(facts: TrendFacts) -> Rows:
    yield (
        "word", "stage", "units", "share", "share_before", "momentum", "share_last_year", "new_share", "markdown",
    )  # fmt: skip
    for one in facts.signals:
        yield (
            one.word, one.stage, one.units, one.share, one.share_before, one.momentum, one.share_last_year,
            one.new_share, one.markdown,
        )  # fmt: skip


def _bestseller_rows(facts: TrendFacts) -> Rows:
    yield ("week", "rank", "article_id", "units", "caption")
    for key, items in facts.bestsellers.items():
        for item in items:
            yield (key, item.rank, item.article_id, item.units, item.caption)


def _category_rows(facts: TrendFacts) -> Rows:
    yield ("week", "mark", *facts.categories.columns)
    for key, row in facts.categories.iterrows():
        yield (key, facts.marks.get(str(key), ""), *(round(float(value), 6) for value in row))


def pictures(
    engine: DesignEngine, category: str, attribute: str, week: str, word: str
) -> tuple[str, tuple[BestsellerTile, ...]]:
    """What sold behind a point of a plot: heading and tiles; of all words if `word` is "".

    Raises:
        StudioError: for an unknown category, attribute or week, or a damaged picture.
    """
    category, week = check_category(category), check_week(engine, week)
    if attribute not in ATTRIBUTES or not isinstance(word, str):
        raise StudioError(errortexts.unknown_attribute(attribute))
    try:
        items = engine.sold_with(category, attribute, week, word)[:NUM_PICTURES]
        tiles = tuple(
            BestsellerTile(one.article_id, one.rank, one.units, one.name, one.caption, tile_picture(one.image))
            for one in items
        )
    except ValueError as error:
        raise StudioError(str(error)) from error
    return trendtexts.pictures_title(week, word), tiles

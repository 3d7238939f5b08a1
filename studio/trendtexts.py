"""English of the Trends tab: titles, axes, and what each plot says in a sentence.

In: `TrendFacts`. Out: strings, not escaped. Shares are told in percent, differences of shares in points. Knows nothing
of plots or HTML.
"""

from __future__ import annotations

import math

from fashiondistill.data.categories import get_category
from fashiondistill.signals import SHOCK_RULE, STAGE_RULE
from fashiondistill.trends import SPAN_WORDS, UNITS_OF
from studio import texts
from studio.trendfacts import MapPoint, TrendFacts

MOMENTUM_AXIS = "Change of share in four weeks (%)"
SHARE_NOW_AXIS = "Share of units, last four weeks (%, log scale)"
RANK_AXIS = "Rank"
HEAT_UNIT = "Against the category's mean (%)"
LOOK_SHARE_AXIS = "Share of the bestsellers' units (%)"
MAP_BEFORE, MAP_WEEK, MAP_OWN = "earlier bestsellers", "this week's", "your designs"
MAP_X, MAP_Y = "Look, first direction (CLIP)", "Look, second direction (CLIP)"
PICTURES_HINT = "Click a point, a bar or a week in any plot to see the garments behind it."
TITLES = {
    "shares": "Shares by week",
    "forecast": "The next eight weeks",
    "momentum": "Rising and falling",
    "life": "Where in its life",
    "looks": "Shares by look",
    "ribbon": "Colours of the bestsellers",
    "heat": "Categories by season",
    "map": "Bestsellers by look",
}
# First part of a name in `forecast.bestsellers.WAYS` -> words.
WAYS = {"last week": "last week's sales", "smoothed": "smoothed sales", "trend": "smoothed sales and their trend"}
NOTHING = "There are too few complete weeks of sales before this one to say more."


def forecast_words(facts: TrendFacts) -> str:
    """What is expected, how sure that is, and how good such forecasts were."""
    forecast = facts.forecast
    if not forecast.words:
        return NOTHING
    one, units = forecast.words[0], UNITS_OF[facts.category]
    told = (
        f"{one.word.capitalize()} is expected to go from {_percent(one.now)} to {_percent(one.mean[-1])} % of {units} "
        f"units by {forecast.weeks[-1]}, by {_method(one.method)}."
    )
    if one.low[-1] is not None:
        told += f" With 80 % certainty that week will count {_percent(one.low[-1])} to {_percent(one.high[-1])} %"
        if one.true_low[-1] is not None:
            told += (
                f" (light band), and the demand behind the count, which chance moves up and down, will be "
                f"{_percent(one.true_low[-1])} to {_percent(one.true_high[-1])} % (dark band)"
            )
        told += "."
    if facts.week != forecast.origin:
        told += f" Forecast from {forecast.origin}, the last complete week."
    return f"{told} {_quality_words(facts)}"


def _method(name: str) -> str:
    return f"the method that did best so far, {name}"


def _quality_words(facts: TrendFacts) -> str:
    """WAPE, MASE and skill of the whole table, and what its intervals covered."""
    found = facts.forecast.quality
    if found.skill is None:
        return "There are too few weeks to test such forecasts yet."
    better = f"{_whole(abs(found.skill))} {'smaller' if found.skill > 0 else 'larger'} than"
    if abs(found.skill) < 0.005:
        better = "no smaller than for"
    told = f"Tested over {found.num_origins} weeks, errors were {better} \u201clike last week\u201d"
    told += f" and came to {_whole(found.wape)} of the shares (WAPE {found.wape:.2f}"
    told += f"; MASE {found.mase:.2f})" if found.mase is not None else ")"
    return told + (f"; light bands held {_whole(found.coverage)} of what came." if found.coverage is not None else ".")


def momentum_words(facts: TrendFacts) -> str:
    """The fastest riser and the fastest faller."""
    known = [one for one in facts.signals if one.momentum is not None and one.stage != "quiet"]
    if not known:
        return NOTHING
    up, down, units = known[0], known[-1], UNITS_OF[facts.category]
    told = []
    if up.momentum > 0:
        told.append(_moved(up, "grew", units))
    if down.momentum < 0:
        told.append(_moved(down, "fell", units))
    return " ".join(told) or f"Nothing moved in {units} units in {SPAN_WORDS}."


def _moved(one, verb: str, units: str) -> str:  # noqa: ANN001 - Signal
    before, now = _percent(one.share_before), _percent(one.share)
    told = f"{one.word.capitalize()} {verb} from {before} to {now} % of {units} units in {SPAN_WORDS}"
    if one.markdown is not None and one.markdown >= 0.02:
        told += f", at {_whole(one.markdown)} below launch prices"
    return f"{told}."


def life_words(facts: TrendFacts) -> str:
    """How many words are in which stage, and by which rule."""
    stages = [one.stage for one in facts.signals]
    if not stages:
        return NOTHING
    counted = ", ".join(f"{stages.count(stage)} {stage}" for stage in dict.fromkeys(sorted(stages)))
    return f"{texts.ATTRIBUTE_LABELS[facts.attribute]} in {facts.week}: {counted}. {STAGE_RULE}"


def ribbon_words(facts: TrendFacts) -> str:
    """The leading colour, turnover, and the forecast top-5 beside the plainest forecast."""
    items = facts.bestsellers.get(facts.week, ())
    if not items:
        return texts.NO_BESTSELLERS
    told = f"In {facts.week} the best seller was a {items[0].caption}."
    if facts.week in facts.turnover.index:
        count = round(facts.turnover[facts.week] * len(items))
        told += f" {count} of {len(items)} bestsellers are new against the week before."
    top = facts.top
    if top is not None and top.quality is not None and top.baseline is not None:
        told += (
            f" Forecasting the next five by {WAYS[top.way.partition(',')[0]]} got {_whole(top.quality.overlap)} of "
            f"them right (NDCG@5 {top.quality.ndcg:.2f}); taking last week's five, {_whole(top.baseline.overlap)} "
            f"({top.baseline.ndcg:.2f})."
        )
    return told


def heat_words(facts: TrendFacts) -> str:
    """Which category sells most above its own mean; weeks to be read with care."""
    table = facts.categories
    told = ""
    if facts.week in table.index:
        row = table.loc[facts.week] / table.mean()
        leader = row.idxmax()
        title, share = get_category(leader).title.lower(), _whole(table.loc[facts.week, leader])
        told = f"In {facts.week} {title} stood at {share} of all units, {_times(row[leader])} its mean. "
    partial = [key for key, mark in facts.marks.items() if mark == "partial"]
    shocked = [key for key, mark in facts.marks.items() if mark == "shocked"]
    if partial:
        told += f"Partial weeks: {', '.join(partial)}. "
    return told + (f"Shocked weeks: {', '.join(shocked)}. {SHOCK_RULE}" if shocked else "No week was shocked.")


def map_words(points: tuple[MapPoint, ...], week: str) -> str:
    """How many pictures there are, and what nearness means."""
    sold = [one for one in points if one.article_id]
    if not sold:
        return "None of the bestsellers so far has a picture."
    now = [one for one in sold if week in one.weeks]
    return (
        f"{len(sold)} bestsellers up to {week}, {len(now)} of them this week's: what lies close together looks alike "
        "to the model that ranks designs. Designs that you generate appear as stars."
    )


def look_words(shares, week: str) -> str:  # noqa: ANN001 - DataFrame
    """The leading look of the week, and what a look is."""
    rule = "A look is a group of bestsellers whose pictures are alike to CLIP, called by the one in its middle."
    if week not in shares.index:
        return f"None of this week's bestsellers has a picture. {rule}"
    leader = shares.loc[week].idxmax()
    return f"What looks {leader} made {_whole(shares.loc[week, leader])} of the bestsellers' units in {week}. {rule}"


def description_words(facts: TrendFacts) -> str:
    """Words for next week, with their shares."""
    told = facts.description
    if not told.text:
        return ""
    parts = ", ".join(f"{one.words} {_percent(one.share_next)} %" for one in told.phrases)
    return f"Expected in {told.week}: bestsellers most like \u201c{told.text}\u201d ({parts} of units)."


def pictures_title(week: str, word: str) -> str:
    """Heading of the pictures that a click leads to."""
    return f"{word.capitalize()}, {week}" if word else f"Bestsellers of {week}"


def _percent(share: float) -> str:
    value = 100 * share
    return f"{value:.0f}" if value >= 9.5 else f"{value:.1f}"


def _whole(share: float) -> str:
    return f"{100 * share:.0f} %"


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if math.isfinite(ratio) else "above"

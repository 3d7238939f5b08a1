"""English of the Trends tab: titles, axes, and what each plot says in a sentence; made as `texts` is.

In: `TrendFacts`. Out: strings, not escaped. Shares are told in percent, differences of shares in points. Knows nothing
of plots or HTML.
"""

from __future__ import annotations

import math

from fashiondistill import signals, trends
from fashiondistill.data.weeks import Week
from fashiondistill.forecast import methods
from studio import texts
from studio.drawertexts import percent
from studio.trendfacts import MapPoint, TrendFacts

WEEKS_BACK = 4  # span over which the trend sentence measures change
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
# The library's own English.
HEADLINES, UNITS = trends.HEADLINES, trends.UNITS_OF
STAGE_RULE, SHOCK_RULE = signals.STAGE_RULE, signals.SHOCK_RULE
STAGES, METHODS = {name: name for name in signals.STAGES}, {name: name for name in methods.METHODS}
PLOTS_WAIT, PLOTS_MISSING = "Plots are on their way.", "plotly.js could not be loaded from {library}"
SAVE_PLOT = "Save {title} as {format}"
# What stands beside the pointer; %{...} is filled in by plotly.
MOMENTUM_HOVER = "%{y}: %{customdata[2]:.1f} to %{customdata[3]:.1f} % of units"
LIFE_HOVER = "%{customdata[2]}: %{y:.1f} % of units, %{x:+.0f} % in four weeks"
RIBBON_HOVER = "%{customdata[0]}, no. %{customdata[2]}: %{customdata[3]}, %{customdata[4]} sold"
HEAT_HOVER = "%{y}, %{customdata[0]}: %{customdata[2]:.1f} % of all units"
MAP_HOVER = "%{text}, %{customdata[2]} weeks among the five"
CAME_HOVER = "%{customdata[0]}, as it came: %{y:.1f} %"
# Sentences, filled in by the functions below.
NOTHING = "There are too few complete weeks of sales before this one to say more."
EXPECTED = (
    "{word} is expected to go from {now} to {then} % of {units} units by {week}, by the method that did best so far, "
    "{method}."
)
CERTAIN = "With 80 % certainty that week will count {low} to {high} %."
CERTAIN_TRUE = (
    "With 80 % certainty that week will count {low} to {high} % (light band), and the demand behind the count, which "
    "chance moves up and down, will be {true_low} to {true_high} % (dark band)."
)
ORIGIN = "Forecast from {week}, the last complete week."
UNTESTED = "There are too few weeks to test such forecasts yet."
SMALLER, LARGER, NO_SMALLER = "{skill} smaller than", "{skill} larger than", "no smaller than for"
TESTED = (
    "Tested over {count} weeks, errors were {better} \u201clike last week\u201d and came to {share} of the shares "
    "({measures})"
)
COVERED = "; light bands held {share} of what came."
GREW = "{word} grew from {before} to {now} % of {units} units in four weeks"
FELL = "{word} fell from {before} to {now} % of {units} units in four weeks"
MARKED_DOWN = ", at {share} below launch prices"
NOTHING_MOVED = "Nothing moved in {units} units in four weeks."
STAGES_NOW = "{attribute} in {week}: {counted}. {rule}"
BEST_SELLER = "In {week} the best seller was a {caption}."
NEW_BESTSELLERS = "{count} of {total} bestsellers are new against the week before."
TOP_QUALITY = (
    "Forecasting the next five by {way} got {right} of them right (NDCG@5 {ndcg:.2f}); taking last week's five, "
    "{base_right} ({base_ndcg:.2f})."
)
HEAT_LEADER = "In {week} {category} stood at {share} of all units, {ratio} its mean."
TIMES, ABOVE = "{ratio:.1f} times", "above"
PARTIAL_WEEKS, SHOCKED_WEEKS = "Partial weeks: {weeks}.", "Shocked weeks: {weeks}. {rule}"
NO_SHOCK = "No week was shocked."
MAP_EMPTY = "None of the bestsellers so far has a picture."
MAP_WORDS = (
    "{count} bestsellers up to {week}, {now} of them this week's: what lies close together looks alike to the model "
    "that ranks designs. Designs that you generate appear as stars."
)
LOOK = "like {caption}"
LOOK_RULE = "A look is a group of bestsellers whose pictures are alike to CLIP, called by the one in its middle."
LOOKS_EMPTY = "None of this week's bestsellers has a picture. {rule}"
LOOK_LEADS = "What looks {look} made {share} of the bestsellers' units in {week}. {rule}"
DESCRIPTION = "Expected in {week}: bestsellers most like \u201c{text}\u201d ({parts} of units)."
DRAWER, DRAWER_ALL = "{word}, {week}", "Bestsellers of {week}"
_LOOK_OPENING = "like "  # of a name in `looks.Looks`


def headline_words(found: trends.Headline) -> str:
    """What moved in a week, in one sentence."""
    return HEADLINES[found.kind].format(
        word=_opening(found.word),
        before=found.before,
        now=found.now,
        units=UNITS[found.category],
        week=found.week,
    )


def trend_words(shares, *, week: str, category: str) -> str:  # noqa: ANN001 - DataFrame; pandas stays with the library
    """The leader of the week, and the word that gained most over `WEEKS_BACK` weeks; `category` is the folder name."""
    if week not in shares.index:
        return texts.NO_BESTSELLERS
    now = shares.loc[week].fillna(0.0)
    leader = now.idxmax()
    before = Week.parse(week).shift(-WEEKS_BACK).key
    if before not in shares.index:
        return texts.trend_sentence(
            word=leader, share=now[leader], change=None, since=before, category=category, week=week
        )
    change = now - shares.loc[before].fillna(0.0)
    riser = change.idxmax()
    sentence = texts.trend_sentence(
        word=leader, share=now[leader], change=change[leader], since=before, category=category, week=week
    )
    if riser == leader or round(change[riser] * 100) < 1:
        return sentence
    return f"{sentence} {texts.riser_sentence(word=riser, change=change[riser], since=before)}"


def board_words() -> dict:
    """What static/board.js says, and the months on its axes."""
    return {"save": SAVE_PLOT, "missing": PLOTS_MISSING, "months": texts.MONTHS}


def look_label(name: str) -> str:
    """What the page calls a look; it is named after a caption, which stays as the model reads it."""
    return LOOK.format(caption=name.removeprefix(_LOOK_OPENING)) if name.startswith(_LOOK_OPENING) else name


def forecast_words(facts: TrendFacts) -> str:
    """What is expected, how sure that is, and how good such forecasts were."""
    forecast = facts.forecast
    if not forecast.words:
        return NOTHING
    one = forecast.words[0]
    told = [
        EXPECTED.format(
            word=_opening(one.word),
            now=percent(one.now),
            then=percent(one.mean[-1]),
            units=UNITS[facts.category],
            week=forecast.weeks[-1],
            method=METHODS[one.method],
        )
    ]
    if one.low[-1] is not None:
        ends = {"low": percent(one.low[-1]), "high": percent(one.high[-1])}
        if one.true_low[-1] is None:
            told.append(CERTAIN.format(**ends))
        else:
            true_ends = {"true_low": percent(one.true_low[-1]), "true_high": percent(one.true_high[-1])}
            told.append(CERTAIN_TRUE.format(**ends, **true_ends))
    if facts.week != forecast.origin:
        told.append(ORIGIN.format(week=forecast.origin))
    return " ".join((*told, _quality_words(facts)))


def _quality_words(facts: TrendFacts) -> str:
    """WAPE, MASE and skill of the whole table, and what its intervals covered."""
    found = facts.forecast.quality
    if found.skill is None:
        return UNTESTED
    better = (SMALLER if found.skill > 0 else LARGER).format(skill=_whole(abs(found.skill)))
    if abs(found.skill) < 0.005:
        better = NO_SMALLER
    measures = f"WAPE {found.wape:.2f}" + (f"; MASE {found.mase:.2f}" if found.mase is not None else "")
    told = TESTED.format(count=found.num_origins, better=better, share=_whole(found.wape), measures=measures)
    return told + (COVERED.format(share=_whole(found.coverage)) if found.coverage is not None else ".")


def momentum_words(facts: TrendFacts) -> str:
    """The fastest riser and the fastest faller."""
    known = [one for one in facts.signals if one.momentum is not None and one.stage != "quiet"]
    if not known:
        return NOTHING
    up, down, units = known[0], known[-1], UNITS[facts.category]
    told = []
    if up.momentum > 0:
        told.append(_moved(up, GREW, units))
    if down.momentum < 0:
        told.append(_moved(down, FELL, units))
    return " ".join(told) or NOTHING_MOVED.format(units=units)


def _moved(one: signals.Signal, sentence: str, units: str) -> str:
    before, now = percent(one.share_before), percent(one.share)
    told = sentence.format(word=_opening(one.word), before=before, now=now, units=units)
    if one.markdown is not None and one.markdown >= 0.02:
        told += MARKED_DOWN.format(share=_whole(one.markdown))
    return f"{told}."


def life_words(facts: TrendFacts) -> str:
    """How many words are in which stage, and by which rule."""
    stages = [one.stage for one in facts.signals]
    if not stages:
        return NOTHING
    counted = ", ".join(f"{stages.count(stage)} {STAGES[stage]}" for stage in dict.fromkeys(sorted(stages)))
    attribute = texts.ATTRIBUTE_LABELS[facts.attribute]
    return STAGES_NOW.format(attribute=attribute, week=facts.week, counted=counted, rule=STAGE_RULE)


def ribbon_words(facts: TrendFacts) -> str:
    """The leading colour, turnover, and the forecast top-5 beside the plainest forecast."""
    items = facts.bestsellers.get(facts.week, ())
    if not items:
        return texts.NO_BESTSELLERS
    told = [BEST_SELLER.format(week=facts.week, caption=items[0].caption)]
    if facts.week in facts.turnover.index:
        count = round(facts.turnover[facts.week] * len(items))
        told.append(NEW_BESTSELLERS.format(count=count, total=len(items)))
    top = facts.top
    if top is not None and top.quality is not None and top.baseline is not None:
        told.append(
            TOP_QUALITY.format(
                way=WAYS[top.way.partition(",")[0]],
                right=_whole(top.quality.overlap),
                ndcg=top.quality.ndcg,
                base_right=_whole(top.baseline.overlap),
                base_ndcg=top.baseline.ndcg,
            )
        )
    return " ".join(told)


def heat_words(facts: TrendFacts) -> str:
    """Which category sells most above its own mean; weeks to be read with care."""
    table, told = facts.categories, []
    if facts.week in table.index:
        row = table.loc[facts.week] / table.mean()
        leader = str(row.idxmax())
        share, ratio = _whole(table.loc[facts.week, leader]), row[leader]
        times = TIMES.format(ratio=ratio) if math.isfinite(ratio) else ABOVE
        category = texts.CATEGORIES_INSIDE[leader]
        told.append(HEAT_LEADER.format(week=facts.week, category=category, share=share, ratio=times))
    partial = [key for key, mark in facts.marks.items() if mark == "partial"]
    shocked = [key for key, mark in facts.marks.items() if mark == "shocked"]
    if partial:
        told.append(PARTIAL_WEEKS.format(weeks=", ".join(partial)))
    told.append(SHOCKED_WEEKS.format(weeks=", ".join(shocked), rule=SHOCK_RULE) if shocked else NO_SHOCK)
    return " ".join(told)


def map_words(points: tuple[MapPoint, ...], week: str) -> str:
    """How many pictures there are, and what nearness means."""
    sold = [one for one in points if one.article_id]
    if not sold:
        return MAP_EMPTY
    now = [one for one in sold if week in one.weeks]
    return MAP_WORDS.format(count=len(sold), week=week, now=len(now))


def look_words(shares, week: str) -> str:  # noqa: ANN001 - DataFrame
    """The leading look of the week, and what a look is."""
    if week not in shares.index:
        return LOOKS_EMPTY.format(rule=LOOK_RULE)
    leader = shares.loc[week].idxmax()
    share = _whole(shares.loc[week, leader])
    return LOOK_LEADS.format(look=look_label(leader), share=share, week=week, rule=LOOK_RULE)


def description_words(facts: TrendFacts) -> str:
    """Words for next week, with their shares."""
    told = facts.description
    if not told.text:
        return ""
    parts = ", ".join(f"{texts.word(one.words)} {percent(one.share_next)} %" for one in told.phrases)
    return DESCRIPTION.format(week=told.week, text=told.text, parts=parts)


def pictures_title(week: str, word: str) -> str:
    """Heading of the pictures that a click leads to."""
    return DRAWER.format(word=_opening(word), week=week) if word else DRAWER_ALL.format(week=week)


def _opening(word: str) -> str:
    """A word of the vocabulary at the head of a sentence."""
    return texts.capital(texts.word(word))


def _whole(share: float) -> str:
    return f"{100 * share:.0f} %"

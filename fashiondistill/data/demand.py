"""What sells how well in each week of a made-up catalogue: trends that are known beforehand, and all that hides them.

In: articles and a random stream. Out: `Trend`s, weights of articles per week, and `Truth`, which adds up those very
weights. Units of an article in a week are drawn in proportion to
    category share x popularity x season(type) x trend(colour) x trend(pattern) x life
Knows nothing of H&M's files, but for the days on which they begin and end.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fashiondistill.data.articles import GARMENTS, ArticleSpec, Garment
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.weeks import Week

FIRST_DAY = datetime.date(2018, 9, 20)  # H&M's files begin and end on these days
LAST_DAY = datetime.date(2020, 9, 22)
TRUTH_FILE = "truth.json"
ATTRIBUTES = ("colour", "pattern", "type")

NUM_EVERGREEN = 8  # articles per category that are sold from the first day, so that every week has five bestsellers
LAUNCH_SHARE = 0.3  # of the other articles appear during the two years
TREND_SHARE = 1.1  # share of a trend's word at its turn, over that of a word in a category of equal shares
# Natural log of the factor between long before and long after the turn. Patterns move less, or they would hide the
# colours in a small catalogue, where a colour may come in one pattern only.
TREND_STRENGTH = {"colour": 2.1, "pattern": 1.5}
POPULARITY_SPREAD = 0.45  # standard deviation of the log of popularity
CATEGORY_SHARE = {
    "top5gub": 0.40, "top5glb": 0.24, "top5gfb": 0.13, "top5shoe": 0.06, "top5acc": 0.09, "top5underwear": 0.08,
}  # fmt: skip


@dataclass(frozen=True)
class Trend:
    """A word that rises (or falls) along a logistic curve.

    Attributes:
        category: folder name.
        attribute: "colour" or "pattern".
        word: of `COLOURS` or `PATTERNS`.
        rises: False = falls.
        turn: key of the week in which it changes fastest.
        width: of the curve in weeks; three quarters of the change take 4 widths around the turn.
    """

    category: str
    attribute: str
    word: str
    rises: bool
    turn: str
    width: float


@dataclass(frozen=True, eq=False)
class Truth:
    """What the sales were drawn from.

    Attributes:
        weeks: keys of all weeks, in order of time.
        shares: attribute ("colour", "pattern", "type") -> category folder -> word -> expected share of the category's
            units per week, in [0, 1]; over the words they add up to 1.
        trends: the words that were made to rise and fall.
    """

    weeks: tuple[str, ...]
    shares: dict[str, dict[str, dict[str, tuple[float, ...]]]]
    trends: tuple[Trend, ...]

    def save(self, folder: Path) -> None:
        """Write truth.json."""
        text = json.dumps(dataclasses.asdict(self), indent=1)
        (Path(folder) / TRUTH_FILE).write_text(text + "\n", encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> Truth:
        """Read truth.json.

        Raises:
            FileNotFoundError: if the folder has none.
        """
        path = Path(folder) / TRUTH_FILE
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} does not exist: only catalogues of fashiondistill.data.catalogue have one."
            )
        record = json.loads(path.read_text(encoding="utf-8"))
        shares = {
            attribute: {c: {w: tuple(v) for w, v in words.items()} for c, words in categories.items()}
            for attribute, categories in record["shares"].items()
        }
        return Truth(tuple(record["weeks"]), shares, tuple(Trend(**trend) for trend in record["trends"]))


def all_weeks() -> list[Week]:
    """Every week with a day between the first and the last."""
    first, last = Week.of(FIRST_DAY), Week.of(LAST_DAY)
    return [first.shift(number) for number in range(last - first + 1)]


def choose_trends(specs: list[ArticleSpec], rng: np.random.Generator) -> tuple[Trend, ...]:
    """For each category a colour and a pattern that rise, and one of each that falls, where there are enough words."""
    weeks = all_weeks()
    trends: list[Trend] = []
    for category in CATEGORIES:
        for attribute in ("colour", "pattern"):
            words = [_word(spec, attribute) for spec in specs if spec.category == category.folder]
            counts = {word: words.count(word) for word in sorted(set(words))}
            # One article alone would make its own fate the trend of the word; three are better than two.
            frequent = [[word for word, count in counts.items() if count >= enough] for enough in (3, 2)]
            eligible = frequent[0] if len(frequent[0]) >= 2 else frequent[1]
            order = [str(word) for word in rng.permutation(eligible)] if len(counts) >= 2 else []
            for word, rises in zip(order[:2], (True, False), strict=False):
                turn = weeks[int(rng.integers(30, 85))].key
                width = round(float(rng.uniform(3, 7)), 1)
                trends.append(Trend(category.folder, attribute, word, rises, turn, width))
    return tuple(trends)


def _word(spec: ArticleSpec, attribute: str) -> str:
    """The article's word as H&M's files will tell it."""
    return {"colour": spec.colours[0], "pattern": spec.pattern, "type": spec.garment}[attribute]


def weekly_weights(
    specs: list[ArticleSpec], trends: tuple[Trend, ...], weeks: list[Week], rng: np.random.Generator
) -> np.ndarray:
    """Expected units per full week up to one common factor: float64 [num_weeks, num_articles]."""
    number = np.arange(len(weeks))[:, None]
    weights = np.exp(rng.normal(0, POPULARITY_SPREAD, len(specs)))[None] * _season(specs, weeks)
    moves = np.zeros(len(specs), bool)
    for trend in trends:
        inside = np.array([spec.category == trend.category for spec in specs])
        sells = inside & np.array([_word(spec, trend.attribute) == trend.word for spec in specs])
        weights[:, sells] *= _to_middle(specs, weights, inside, sells, trend.attribute)
        after = 1 / (1 + np.exp(-(number - (Week.parse(trend.turn) - weeks[0])) / trend.width))  # [num_weeks, 1]
        sign = 1 if trend.rises else -1
        weights = np.where(
            sells[None], weights * np.exp(sign * TREND_STRENGTH[trend.attribute] * (after - 0.5)), weights
        )
        moves |= sells
    weights *= _life(specs, moves, len(weeks), rng)
    for folder, share in CATEGORY_SHARE.items():
        inside = np.array([spec.category == folder for spec in specs])
        if inside.any():
            weights[:, inside] *= share / weights[:, inside].sum(axis=1).mean()
    return weights


def _to_middle(
    specs: list[ArticleSpec], weights: np.ndarray, inside: np.ndarray, sells: np.ndarray, attribute: str
) -> float:
    """Factor that brings a trend's word to a middling share, so that it starts neither dominant nor invisible."""
    num_words = len({_word(spec, attribute) for spec, own in zip(specs, inside, strict=True) if own})
    target = min(TREND_SHARE / num_words, 0.5)
    return target / (1 - target) * float(weights[:, inside & ~sells].sum() / weights[:, sells].sum())


def _season(specs: list[ArticleSpec], weeks: list[Week]) -> np.ndarray:
    """Factor of the time of year: float64 [num_weeks, num_articles]."""
    neutral = Garment("", 20)
    peak = np.array([GARMENTS.get(spec.garment, neutral).peak for spec in specs])[None]
    swing = np.array([GARMENTS.get(spec.garment, neutral).swing for spec in specs])[None]
    week = np.array([week.week for week in weeks])[:, None]
    return np.exp(swing * np.cos(2 * np.pi * (week - peak) / 52.18))


def _life(specs: list[ArticleSpec], moves: np.ndarray, num_weeks: int, rng: np.random.Generator) -> np.ndarray:
    """0 before the launch, a fading rush after it: float64 [num_weeks, num_articles].

    Articles of a trend's words are on sale throughout: their launches would drown the trend in a small catalogue.
    """
    launch = np.full(len(specs), -1000)
    for category in CATEGORIES:
        places = [n for n, spec in enumerate(specs) if spec.category == category.folder]
        for place in rng.permutation(places).astype(int)[NUM_EVERGREEN:]:
            if rng.random() < LAUNCH_SHARE and not moves[place]:
                launch[place] = rng.integers(4, num_weeks - 15)
    age = np.arange(num_weeks)[:, None] - launch[None]
    return np.where(age < 0, 0.0, 0.8 + 0.6 * np.exp(-np.maximum(age, 0) / 8))


def expected_shares(
    specs: list[ArticleSpec], weights: np.ndarray
) -> dict[str, dict[str, dict[str, tuple[float, ...]]]]:
    """`Truth.shares` of the weights [num_weeks, num_articles]."""
    shares: dict[str, dict[str, dict[str, tuple[float, ...]]]] = {attribute: {} for attribute in ATTRIBUTES}
    for category in CATEGORIES:
        inside = [n for n, spec in enumerate(specs) if spec.category == category.folder]
        if not inside:
            continue
        total = weights[:, inside].sum(axis=1)
        for attribute in ATTRIBUTES:
            words = [_word(specs[n], attribute) for n in inside]
            shares[attribute][category.folder] = {}
            for word in sorted(set(words)):
                members = [n for n, own in zip(inside, words, strict=True) if own == word]
                with np.errstate(invalid="ignore"):
                    share = np.nan_to_num(weights[:, members].sum(axis=1) / total)
                shares[attribute][category.folder][word] = tuple(float(v) for v in share.round(6))
    return shares

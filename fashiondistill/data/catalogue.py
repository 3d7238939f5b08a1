"""A seeded catalogue and its sales in H&M's exact layout, with trends that are known beforehand.

In: `CatalogueConfig`, a folder and, if pictures exist already, the articles to sell. Out: articles.csv, customers.csv,
transactions_train.csv or .parquet, and truth.json with the expected share of every colour, pattern and type per week.
Knows nothing of pictures, models or pages.

Units of an article in a week are drawn in proportion to
    category share x popularity x season(type) x trend(colour) x trend(pattern) x life
and `Truth` adds up those very weights, so that measured shares differ from it by sampling error only. Numbers of
departments, sections and codes have H&M's columns and types, but are our own.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from fashiondistill.cli import add_flags, config_from
from fashiondistill.config import CatalogueConfig
from fashiondistill.data.articles import (
    GARMENTS,
    ArticleSpec,
    Garment,
    check_specs,
    make_specs,
    product_type_of,
    stream,
)
from fashiondistill.data.assortment import ARTICLE_COLUMNS, ARTICLES_FILE
from fashiondistill.data.attributes import COLOUR_BY_WORD, PATTERNS
from fashiondistill.data.categories import CATEGORIES, get_category
from fashiondistill.data.pictures import DRAWN, NONE, articles_of_dataset, draw_articles
from fashiondistill.data.transactions import TRANSACTIONS_STEM
from fashiondistill.data.weeks import Week

FIRST_DAY = datetime.date(2018, 9, 20)  # H&M's files begin and end on these days
LAST_DAY = datetime.date(2020, 9, 22)
TRUTH_FILE = "truth.json"
FORMATS = ("csv", "parquet")
ATTRIBUTES = ("colour", "pattern", "type")

EUROS_PER_PRICE = 590  # H&M's price column times 590 gives whole cents (measured on 10,000 real rows)
CHUNK_ROWS = 500_000  # rows in memory at once; 31.8 million rows to CSV took 16 s and 245 MB (2 cores)
WEEKDAY_WEIGHTS = (0.95, 0.92, 0.95, 1.0, 1.08, 1.16, 0.94)  # Monday first
SALE_WEEKS = (1, 2, 3, 26, 27, 28)  # ISO weeks of the sales at the ends of the seasons
SALE_FACTOR = 0.8
REPEAT_SHARE = 0.3  # of sales that follow a sale of the same article on the same day: same customer, so a repeated row
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


def make_catalogue(
    config: CatalogueConfig,
    folder: Path,
    *,
    articles: list[ArticleSpec] | None = None,
    transactions_format: str = "csv",
) -> Truth:
    """Write articles.csv, customers.csv, transactions_train and truth.json; the same arguments give the same bytes.

    Args:
        config: sizes and seed.
        folder: made if need be; files of an earlier run are replaced.
        articles: what to sell; None makes up `config.articles_per_category` articles of each category.
        transactions_format: "csv" or "parquet" (a small fraction of the size).

    Raises:
        ValueError: for an unknown format, no articles, or an article_id given twice.
    """
    if transactions_format not in FORMATS:
        raise ValueError(f"transactions_format {transactions_format!r} is unknown: choose csv or parquet.")
    specs = make_specs(config) if articles is None else articles
    check_specs(specs)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weeks = _all_weeks()
    trends = _choose_trends(specs, stream(config, "trends"))
    weights = _weekly_weights(specs, trends, weeks, stream(config, "weights"))
    truth = Truth(tuple(week.key for week in weeks), _expected_shares(specs, weights), trends)

    _articles_frame(specs, config).write_csv(folder / ARTICLES_FILE)
    customer_ids = _write_customers(folder / "customers.csv", config)
    chunks = _transactions(specs, weights, weeks, customer_ids, config)
    _write_transactions(folder, chunks, transactions_format)
    truth.save(folder)
    return truth


def _all_weeks() -> list[Week]:
    first, last = Week.of(FIRST_DAY), Week.of(LAST_DAY)
    return [first.shift(number) for number in range(last - first + 1)]


# Trends and weights


def _choose_trends(specs: list[ArticleSpec], rng: np.random.Generator) -> tuple[Trend, ...]:
    """For each category a colour and a pattern that rise, and one of each that falls, where there are enough words."""
    weeks = _all_weeks()
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


def _weekly_weights(
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


def _expected_shares(
    specs: list[ArticleSpec], weights: np.ndarray
) -> dict[str, dict[str, dict[str, tuple[float, ...]]]]:
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


# articles.csv

NAMES = (
    "Alva", "Bruno", "Cleo", "Dune", "Edda", "Fjord", "Gala", "Hedda", "Ida", "Juno", "Kilo", "Lotta", "Malou", "Nora",
    "Otto", "Pixie", "Quinn", "Rio", "Siri", "Tilda", "Ulla", "Vera", "Wilma", "Ylva", "Zoe",
)  # fmt: skip
MATERIALS = {
    "top5gub": ("soft cotton jersey", "airy viscose", "a cotton blend", "woven cotton"),
    "top5glb": ("stretch cotton", "woven fabric", "washed cotton twill", "a linen blend"),
    "top5gfb": ("soft jersey", "woven viscose", "crinkled cotton"),
    "top5shoe": ("imitation leather", "cotton canvas", "imitation suede"),
    "top5acc": ("recycled polyester", "a soft blend", "imitation leather"),
    "top5underwear": ("soft cotton", "microfibre", "ribbed jersey"),
}
CUTS = ("a regular fit", "a relaxed fit", "a straight cut", "neat seams", "fine details")
INDEXES = (("A", "Ladieswear", 1, "Ladieswear"), ("D", "Divided", 2, "Divided"), ("F", "Menswear", 3, "Menswear"))
PATTERN_PHRASE = {"plain": "", "striped": "Striped ", "checked": "Checked ", "patterned": "Patterned ", "printed": ""}


def _articles_frame(specs: list[ArticleSpec], config: CatalogueConfig) -> pl.DataFrame:
    """H&M's 25 columns; the colourways of a design share name, material and audience."""
    types = {name: number for number, name in enumerate(sorted({s.garment for s in specs}), start=250)}
    rows = [_article_row(spec, types[spec.garment], config) for spec in specs]
    rows.sort(key=lambda row: str(row["article_id"]))
    return pl.DataFrame(rows, infer_schema_length=None).select(ARTICLE_COLUMNS)


def _article_row(spec: ArticleSpec, type_number: int, config: CatalogueConfig) -> dict[str, str | int]:
    rng = np.random.default_rng([config.seed, int(spec.article_id[:7])])  # of the design, not of the colourway
    category = get_category(spec.category)
    colour = COLOUR_BY_WORD[spec.colours[0]]
    index_code, index_name, group_no, group_name = INDEXES[int(rng.integers(len(INDEXES)))]
    name, cut = str(rng.choice(NAMES)), str(rng.choice(CUTS))
    material = str(rng.choice(MATERIALS[spec.category]))
    noun = PATTERN_PHRASE[spec.pattern] + spec.garment
    printed = " with a print at the front," if spec.pattern == "printed" else ""
    value_id, value = _perceived_value(colour.rgb)
    master_id, master = _perceived_master(colour.hm_colour_group)
    return {
        "article_id": spec.article_id,
        "product_code": spec.article_id[:7],
        "prod_name": f"{name} {spec.garment}",
        "product_type_no": type_number,
        "product_type_name": product_type_of(spec.garment),
        "product_group_name": category.product_group,
        "graphical_appearance_no": 1_010_001 + list(PATTERNS).index(spec.pattern),
        "graphical_appearance_name": PATTERNS[spec.pattern],
        "colour_group_code": 1 + list(COLOUR_BY_WORD).index(colour.word),
        "colour_group_name": colour.hm_colour_group,
        "perceived_colour_value_id": value_id,
        "perceived_colour_value_name": value,
        "perceived_colour_master_id": master_id,
        "perceived_colour_master_name": master,
        "department_no": 1000 + 10 * group_no + CATEGORIES.index(category),
        "department_name": f"{group_name} {category.title}",
        "index_code": index_code,
        "index_name": index_name,
        "index_group_no": group_no,
        "index_group_name": group_name,
        "section_no": 10 * group_no + CATEGORIES.index(category),
        "section_name": f"{group_name} Everyday",
        "garment_group_no": 1001 + CATEGORIES.index(category),
        "garment_group_name": category.title,
        "detail_desc": f"{noun[:1].upper()}{noun[1:]} in {material},{printed} with {cut}. {spec.caption.capitalize()}.",
    }


def _perceived_value(rgb: tuple[int, int, int]) -> tuple[int, str]:
    lightness = (0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]) / 255
    if max(rgb) - min(rgb) > 130:
        return 5, "Bright"
    if lightness < 0.3:
        return 4, "Dark"
    if lightness < 0.6:
        return 2, "Medium Dusty"
    return (1, "Dusty Light") if lightness < 0.8 else (3, "Light")


def _perceived_master(colour_group: str) -> tuple[int, str]:
    special = {"Greenish Khaki": "Khaki green", "Bronze/Copper": "Brown", "Purple": "Lilac Purple"}
    name = special.get(colour_group, colour_group.rpartition(" ")[2])
    name = special.get(name, name)  # also "Light Purple", of which only "Purple" is left
    masters = (
        "Black", "Blue", "White", "Pink", "Grey", "Red", "Beige", "Green", "Khaki green", "Yellow", "Orange", "Brown",
        "Lilac Purple", "Turquoise",
    )  # fmt: skip
    return masters.index(name) + 1, name


# customers.csv and transactions_train


def _write_customers(path: Path, config: CatalogueConfig) -> pl.Series:
    """Write customers.csv; returns the ids, sorted, as 64 hex digits."""
    rng = stream(config, "customers")
    count = config.num_customers
    ids = sorted(hashlib.sha256(f"customer {config.seed} {n}".encode()).hexdigest() for n in range(count))
    postal = pl.Series([hashlib.sha256(f"post {config.seed} {n}".encode()).hexdigest() for n in range(count // 4 + 1)])
    reads_news = rng.random(count) < 0.35
    active = reads_news & (rng.random(count) < 0.97)
    young = rng.random(count) < 0.6
    age = np.where(young, rng.normal(26, 5, count), rng.normal(49, 10, count)).clip(16, 99).round().astype(np.int64)
    club = rng.choice(3, count, p=(0.93, 0.065, 0.005))
    frame = pl.DataFrame(
        {
            "customer_id": pl.Series(ids, dtype=pl.String),
            "FN": pl.Series(np.where(reads_news, 1.0, np.nan)).fill_nan(None),
            "Active": pl.Series(np.where(active, 1.0, np.nan)).fill_nan(None),
            "club_member_status": pl.Series(["ACTIVE", "PRE-CREATE", "LEFT CLUB"]).gather(club),
            "fashion_news_frequency": pl.Series(["NONE", "Regularly"]).gather(reads_news.astype(np.int64)),
            "age": pl.select(pl.when(pl.Series(rng.random(count) >= 0.012)).then(pl.Series(age))).to_series(),
            "postal_code": postal.gather(rng.integers(0, len(postal), count)),
        }
    )
    frame.write_csv(path)
    return frame["customer_id"]


def _transactions(
    specs: list[ArticleSpec], weights: np.ndarray, weeks: list[Week], customer_ids: pl.Series, config: CatalogueConfig
) -> Iterator[pl.DataFrame]:
    """Chunks of about `CHUNK_ROWS` rows in H&M's columns and order (by day, then customer)."""
    rng = stream(config, "transactions")
    article_ids = pl.Series([spec.article_id for spec in specs], dtype=pl.String)
    euros = np.array([GARMENTS.get(spec.garment, Garment("", 20)).euros for spec in specs])
    euros = np.maximum(np.round(euros * np.exp(rng.normal(0, 0.25, len(specs)))), 2) - 0.01
    days = [FIRST_DAY + datetime.timedelta(n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
    week_of_day = np.array([Week.of(day) - weeks[0] for day in days])
    chance = weights.sum(axis=1)[week_of_day] * np.array([WEEKDAY_WEIGHTS[day.weekday()] for day in days])
    rows_of_day = rng.multinomial(config.num_transactions, chance / chance.sum())
    waiting: list[tuple[np.ndarray, ...]] = []
    num_waiting = 0
    for number, (week, num_rows) in enumerate(zip(week_of_day, rows_of_day, strict=True)):
        share = weights[week] / weights[week].sum()
        article = np.repeat(np.arange(len(specs)), rng.multinomial(num_rows, share))
        customer = _customers_of(article, len(customer_ids), rng)
        order = np.lexsort((article, customer))
        article, customer = article[order], customer[order]
        price = np.round(euros * SALE_FACTOR, 2) if weeks[week].week in SALE_WEEKS else euros
        waiting.append((np.full(num_rows, number), customer, article, price[article]))
        num_waiting += int(num_rows)
        if num_waiting >= CHUNK_ROWS or number == len(days) - 1:
            yield _rows_frame(waiting, days, customer_ids, article_ids)
            waiting, num_waiting = [], 0


def _rows_frame(
    parts: list[tuple[np.ndarray, ...]], days: list[datetime.date], customer_ids: pl.Series, article_ids: pl.Series
) -> pl.DataFrame:
    """H&M's five columns of the parts' (day number, customer number, article number, euros)."""
    day, customer, article, euros = (np.concatenate(column) for column in zip(*parts, strict=True))
    channel = np.where((article + customer * 7) % 10 < 7, 2, 1)  # 70 % are 2; equal within a repeated row
    return pl.DataFrame(
        {
            "t_dat": pl.Series(days, dtype=pl.Date).gather(day),
            "customer_id": customer_ids.gather(customer),
            "article_id": article_ids.gather(article),
            "price": euros / EUROS_PER_PRICE,
            "sales_channel_id": channel.astype(np.int64),
        }
    )


def _customers_of(article: np.ndarray, num_customers: int, rng: np.random.Generator) -> np.ndarray:
    """Who bought: int64 [num_rows] for sorted `article`; some buy two of a kind, which H&M writes as a repeated row."""
    # The square makes a few customers buy often, as in H&M's rows.
    customer = (num_customers * rng.random(len(article)) ** 2).astype(np.int64)
    again = rng.random(len(article)) < REPEAT_SHARE
    again[:1] = False
    again[1:] &= article[1:] == article[:-1]
    customer[again] = customer[np.flatnonzero(again) - 1]
    return customer


def _write_transactions(folder: Path, chunks: Iterator[pl.DataFrame], transactions_format: str) -> None:
    """Write the chunks as they come; Parquet goes through a CSV, since polars has no writer that appends to one."""
    csv, parquet = folder / f"{TRANSACTIONS_STEM}.csv", folder / f"{TRANSACTIONS_STEM}.parquet"
    parquet.unlink(missing_ok=True)  # of an earlier run; readers prefer it to the CSV
    schema: pl.Schema | None = None
    with csv.open("wb") as file:
        for chunk in chunks:
            chunk.write_csv(file, include_header=schema is None)
            schema = chunk.schema
    if transactions_format == "parquet":
        pl.scan_csv(csv, schema=schema).sink_parquet(parquet, compression="zstd", row_group_size=CHUNK_ROWS)
        csv.unlink()


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    parser = argparse.ArgumentParser(
        prog="python -m fashiondistill.data.catalogue", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", required=True, help="folder to write to")
    parser.add_argument("--transactions_format", default="csv", choices=FORMATS, help="of the sales (default: csv)")
    parser.add_argument(
        "--pictures",
        default=NONE,
        help=f"{NONE}, {DRAWN} (simple drawings), or the folder of a prepared data set (default: {NONE})",
    )
    add_flags(parser, CatalogueConfig)
    arguments = parser.parse_args(argv)
    out = Path(arguments.out)
    try:
        config = config_from(arguments, CatalogueConfig)
        articles = None
        if arguments.pictures == DRAWN:
            articles = draw_articles(config, out)
        elif arguments.pictures != NONE:
            articles = articles_of_dataset(Path(arguments.pictures), config, out)
        truth = make_catalogue(config, out, articles=articles, transactions_format=arguments.transactions_format)
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{config.num_transactions} sales in {len(truth.weeks)} weeks: {arguments.out}")
    for trend in truth.trends:
        print(
            f"{get_category(trend.category).title}: {trend.attribute} {trend.word} "
            f"{'rises' if trend.rises else 'falls'} around {trend.turn}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

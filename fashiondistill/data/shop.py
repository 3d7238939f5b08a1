"""A catalogue opened for reading: its weeks, its bestsellers in the words of captions, and the frames of trends.

In: a folder in H&M's layout (articles.csv, transactions_train.csv or .parquet, images/). Out: `Shop`, `Bestseller`.
Reads the files once, when opened; no picture is opened here. Knows nothing of trends, models or pages.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from fashiondistill.data.assortment import category_of_articles, read_articles
from fashiondistill.data.attributes import COLOUR_OF_HM_GROUP, PATTERN_OF_HM_APPEARANCE, compose_caption
from fashiondistill.data.bestsellers import Ranking, weekly_bestsellers, weekly_units_and_days
from fashiondistill.data.categories import CATEGORIES, Category, get_category
from fashiondistill.data.cube import Cube, build_cube
from fashiondistill.data.leaders import Leaders, find_leaders
from fashiondistill.data.sales import why_not_writable
from fashiondistill.data.tables import BadRow, describe, find_table
from fashiondistill.data.transactions import TRANSACTIONS_STEM
from fashiondistill.data.weeks import DAYS_PER_WEEK, Week

CACHED_FROM_BYTES = 16 * 2**20  # smaller files are read within half a second
CHUNK_ROWS = 1_000_000  # rows of weekly units that are ranked at once; all 7 million of H&M's would take another GiB

# H&M's product_type_name -> noun of the captions, where it is not the name in lower case.
NOUN_OF_PRODUCT_TYPE: dict[str, str] = {
    "Vest top": "tank top",
    "Leggings/Tights": "leggings",
    "Jumpsuit/Playsuit": "jumpsuit",
    "Underwear bottom": "briefs",
    "Underwear body": "underwear bodysuit",
    "Other shoe": "shoes",
    "Flat shoe": "flat shoes",
    "Flat shoes": "flat shoes",
    "Hat/beanie": "hat",
    "Cap/peaked": "cap",
    "Bag": "handbag",
    "Earring": "earrings",
}


@dataclass(frozen=True)
class Bestseller:
    """An article that sold best in a category and week.

    Attributes:
        article_id: ten digits.
        rank: 1 = most units of the week.
        units: sold in that week.
        name: prod_name, for people.
        caption: in the words of training, for example "navy striped t-shirt".
        colours: colour words; H&M's file names one per article.
        pattern: pattern word.
        image: path of the picture; it need not exist (H&M's own set lacks 442), whoever opens it learns that.
    """

    article_id: str
    rank: int
    units: int
    name: str
    caption: str
    colours: tuple[str, ...]
    pattern: str
    image: Path


@dataclass(frozen=True, eq=False)
class Shop:
    """Articles and weekly units of one catalogue. Make one with `open`.

    Attributes:
        folder: of the catalogue.
        weeks: with sales in at least one of the six categories, in order of time.
        articles: one row per article of the six categories: H&M's 25 columns, and category, colour, pattern, type (the
            caption's words).
        units: columns week (key), article_id, units, revenue, in order of weeks; articles of the six categories only.
        days: week key -> number of days with sales, 1 to 7; below 7 the week is partial.
        bad_rows: rows of both files that could not be used; `open` warns of them.
    """

    folder: Path
    weeks: tuple[Week, ...]
    articles: pl.DataFrame
    units: pl.DataFrame
    days: dict[str, int]
    bad_rows: tuple[BadRow, ...]
    _bestsellers: dict[tuple[str, str], tuple[Bestseller, ...]] = field(repr=False)

    @staticmethod
    def open(folder: Path, *, top_k: int = 5, cache_dir: Path | None = None) -> Shop:
        """Read a catalogue.

        Args:
            folder: holds articles.csv and transactions_train.csv or .parquet.
            top_k: bestsellers to keep of each category and week.
            cache_dir: where a slim copy of large sales is kept for the next time (see `open_sales`); None = nowhere.

        Raises:
            FileNotFoundError: naming the file that is missing.
            ValueError: naming the missing column, or if nothing of the six categories was sold, or no row is usable.
        """
        folder = Path(folder)
        assortment = read_articles(folder)
        articles = with_words(assortment.frame)
        units, days, source = weekly_units_and_days(folder, cache_dir=_cache_of(folder, cache_dir))
        bad_rows = assortment.source.bad_rows + source.bad_rows
        if bad_rows:
            warnings.warn(
                f"{len(bad_rows)} rows in {folder} were left out, the first: {describe(bad_rows[0])}", stacklevel=2
            )
        units = units.join(articles.select("article_id"), on="article_id", how="semi", maintain_order="left")
        if not units.height:
            raise ValueError(f"{folder} has no sales of the six categories: check that its files belong together.")
        keys = units["week"].unique().sort().to_list()  # the ISO year has four digits here, so keys sort in time
        ranking = Ranking(top_k=top_k, rank_by="units", dedupe="article")
        ranked = pl.concat(
            weekly_bestsellers(part, assortment.frame, ranking=ranking) for part in _by_weeks(units, CHUNK_ROWS)
        ).sort("category", "week", "rank")
        return Shop(
            folder=folder,
            weeks=tuple(Week.parse(key) for key in keys),
            articles=articles,
            units=units,
            days={key: days[key] for key in keys},
            bad_rows=bad_rows,
            _bestsellers=_by_category_and_week(ranked, articles, folder),
        )

    @cached_property
    def cube(self) -> Cube:
        """Weekly sums by attribute, added up on first use."""
        return build_cube(self.units, self.articles)

    def leaders(self, category: str) -> Leaders | None:
        """Units by week of the articles of a category that ever sold well, gathered on first use.

        Raises:
            ValueError: for an unknown category.
        """
        folder = get_category(category).folder
        if folder not in self._leaders:
            own = self.articles.filter(pl.col("category") == folder)
            complete = [week for week in self.weeks if not self.is_partial(week)]
            self._leaders[folder] = find_leaders(self.units, own, complete)
        return self._leaders[folder]

    @cached_property
    def _leaders(self) -> dict[str, Leaders | None]:
        return {}

    @property
    def categories(self) -> tuple[Category, ...]:
        """The categories with articles, in the order of `CATEGORIES`."""
        present = set(self.articles["category"].unique().to_list())
        return tuple(category for category in CATEGORIES if category.folder in present)

    def bestsellers(self, category: str, week: Week | str) -> list[Bestseller]:
        """The week's bestsellers of a category, best first; empty if the category sold nothing that week.

        Raises:
            ValueError: for an unknown category, or a week without sales.
        """
        folder, key = get_category(category).folder, self.week(week).key
        return list(self._bestsellers.get((folder, key), ()))

    def units_in(self, keys: Iterable[str]) -> pl.DataFrame:
        """Rows of `units` of the weeks with these keys, found by halving: `units` is in order of weeks."""
        weeks = self.units["week"]
        ends = [(weeks.search_sorted(key, "left"), weeks.search_sorted(key, "right")) for key in sorted(set(keys))]
        return pl.concat([self.units.head(0), *(self.units.slice(start, end - start) for start, end in ends)])

    def sold_with(
        self, category: str, attribute: str, week: Week | str, word: str, *, limit: int
    ) -> tuple[Bestseller, ...]:
        """What sold best of a category in a week, of the articles with a word; of all if it is "".

        Args:
            category: folder name.
            attribute: "colour", "type" or "pattern".
            week: with sales.
            word: as in the captions.
            limit: articles at most.

        Raises:
            ValueError: for an unknown category, or a week without sales.
        """
        folder, key = get_category(category).folder, self.week(week).key
        wanted = (pl.col("category") == folder) & ((pl.col(attribute) == word) if word else pl.lit(True))
        rows = (
            self.units_in([key])
            .join(self.articles.filter(wanted), on="article_id")
            .sort("units", "revenue", "article_id", descending=[True, True, False])
            .head(limit)
            .with_columns((pl.int_range(pl.len()) + 1).alias("rank"))
        )
        return tuple(_bestseller(row, self.folder) for row in rows.iter_rows(named=True))

    def week(self, week: Week | str) -> Week:
        """The given week, once it is known to have sales.

        Raises:
            ValueError: if the text is no week, or the week has no sales; names the first and last that have.
        """
        found = Week.parse(week) if isinstance(week, str) else week
        if found.key not in self.days:
            raise ValueError(
                f"week {found.key} has no sales: choose a week from {self.weeks[0].key} to {self.weeks[-1].key}."
            )
        return found

    def is_partial(self, week: Week | str) -> bool:
        """Whether the data covers only a part of the week; only the first and the last week can be partial.

        A day without sales inside the span (a small shop on a Sunday) does not make a week partial.
        """
        found = self.week(week)
        return found in (self.weeks[0], self.weeks[-1]) and self.days[found.key] < DAYS_PER_WEEK


def _cache_of(folder: Path, cache_dir: Path | None) -> Path | None:
    """The cache if the sales are worth it and it can be written to; a page must open without it too."""
    if cache_dir is None or find_table(folder, TRANSACTIONS_STEM).stat().st_size < CACHED_FROM_BYTES:
        return None
    reason = why_not_writable(cache_dir)
    if not reason:
        return cache_dir
    warnings.warn(
        f"the sales in {folder} will be read whole each time: {cache_dir} cannot be written to ({reason}). Set "
        "XDG_CACHE_HOME to a folder that can.",
        stacklevel=3,
    )
    return None


def _by_weeks(units: pl.DataFrame, num_rows: int) -> Iterator[pl.DataFrame]:
    """Whole weeks of units (sorted by week), of at least `num_rows` rows together as long as there are so many."""
    start, end = 0, 0
    for length in units["week"].rle().struct.field("len"):
        end += length
        if end - start >= num_rows:
            yield units[start:end]
            start = end
    if end > start:
        yield units[start:end]


def image_path(folder: Path, article_id: str) -> Path:
    """Where H&M's layout keeps the picture of an article: images/010/0108775015.jpg."""
    return Path(folder) / "images" / article_id[:3] / f"{article_id}.jpg"


def with_words(articles: pl.DataFrame) -> pl.DataFrame:
    """Articles of the six categories with their folder and the caption's words for colour, pattern and type."""
    colours = {group: colour.word for group, colour in COLOUR_OF_HM_GROUP.items()}
    return articles.join(
        category_of_articles(articles), on="article_id", how="inner", maintain_order="left"
    ).with_columns(
        _word("colour_group_name", colours).alias("colour"),
        _word("graphical_appearance_name", PATTERN_OF_HM_APPEARANCE).alias("pattern"),
        _word("product_type_name", NOUN_OF_PRODUCT_TYPE).alias("type"),
    )


def _word(column: str, words: dict[str, str]) -> pl.Expr:
    """H&M's name -> our word; names that we have no word for in lower case, nulls as "unknown"."""
    name = pl.col(column).fill_null("unknown")
    return pl.coalesce(name.replace_strict(words, default=None, return_dtype=pl.String), name.str.to_lowercase())


def _by_category_and_week(
    ranked: pl.DataFrame, articles: pl.DataFrame, folder: Path
) -> dict[tuple[str, str], tuple[Bestseller, ...]]:
    words = articles.select("article_id", "prod_name", "colour", "pattern", "type")
    rows = ranked.join(words, on="article_id", how="left", maintain_order="left").iter_rows(named=True)
    found: dict[tuple[str, str], list[Bestseller]] = {}
    for row in rows:
        found.setdefault((row["category"], row["week"]), []).append(_bestseller(row, folder))
    return {key: tuple(items) for key, items in found.items()}


def _bestseller(row: Mapping, folder: Path) -> Bestseller:
    return Bestseller(
        article_id=row["article_id"],
        rank=row["rank"],
        units=row["units"],
        name=row["prod_name"] or row["type"],
        caption=compose_caption(colours=[row["colour"]], pattern=row["pattern"], garment=row["type"]),
        colours=(row["colour"],),
        pattern=row["pattern"],
        image=image_path(folder, row["article_id"]),
    )

"""A shop's articles in H&M's layout -> one clean frame, and where each article belongs.

In: a folder with articles.csv (or .csv.gz, .csv.zip, .parquet). Out: `Assortment`; a row that cannot be used is named
in its source, the others are kept. Knows nothing of sales or pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fashiondistill.data.categories import CATEGORIES, CATEGORY_OF_GROUP, HOSIERY_GROUP, get_category
from fashiondistill.data.csvtext import open_csv, rows_of_lines
from fashiondistill.data.tables import (
    BadRows,
    TableSource,
    find_table,
    read_parquet_schema,
    require_columns,
    sha256_of,
    stamp,
)

ARTICLES_STEM = "articles"
ARTICLES_FILE = "articles.csv"
ID_LENGTH = 10  # H&M's article_id: ten digits, the first a zero that integer columns lose
PRODUCT_LENGTH = 7  # its first seven digits are the design, the last three the colourway

# H&M's articles.csv, in its order.
ARTICLE_COLUMNS: tuple[str, ...] = (
    "article_id", "product_code", "prod_name", "product_type_no", "product_type_name", "product_group_name",
    "graphical_appearance_no", "graphical_appearance_name", "colour_group_code", "colour_group_name",
    "perceived_colour_value_id", "perceived_colour_value_name", "perceived_colour_master_id",
    "perceived_colour_master_name", "department_no", "department_name", "index_code", "index_name",
    "index_group_no", "index_group_name", "section_no", "section_name", "garment_group_no", "garment_group_name",
    "detail_desc",
)  # fmt: skip
NUMBER_COLUMNS = tuple(name for name in ARTICLE_COLUMNS if name.endswith("_no")) + (
    "colour_group_code",
    "perceived_colour_value_id",
    "perceived_colour_master_id",
)
NEEDED_COLUMNS = (
    "article_id", "prod_name", "product_type_name", "product_group_name", "graphical_appearance_name",
    "colour_group_name",
)  # fmt: skip
AUDIENCE = "index_group_name"  # H&M: Ladieswear, Baby/Children, Divided, Menswear, Sport

_ID = re.compile(rf"\d{{1,{ID_LENGTH}}}")
_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,18}")


@dataclass(frozen=True, eq=False)
class Assortment:
    """All articles of a shop.

    Attributes:
        frame: the 25 columns of `ARTICLE_COLUMNS`, in that order; article_id is a string of ten digits, *_no and codes
            of colours are integers, all else strings; null where the file has nothing.
        source: the file, its hash, its bad rows, and notes on what was missing.
    """

    frame: pl.DataFrame
    source: TableSource


def read_articles(folder: Path) -> Assortment:
    """Read all articles of a shop.

    Raises:
        FileNotFoundError: naming the file.
        ValueError: if `NEEDED_COLUMNS` are missing, no row is usable, or the file is damaged.
    """
    path = find_table(folder, ARTICLES_STEM)
    size, mtime_ns = stamp(path)
    bad, notes = BadRows(path), _Notes()
    columns, rows = _rows_of_parquet(path) if path.suffix == ".parquet" else _rows_of_csv(path, notes)
    require_columns(path, columns, NEEDED_COLUMNS)
    notes.about_columns(columns)
    present = [(name, columns.index(name)) for name in ARTICLE_COLUMNS if name in columns]
    values: dict[str, list[str | int | None]] = {name: [] for name in ARTICLE_COLUMNS}
    line_of: dict[str, int] = {}
    for line, fields in rows:
        if isinstance(fields, str):
            bad.add(line, fields)
            continue
        row: dict[str, str | int | None] = dict.fromkeys(ARTICLE_COLUMNS)
        row.update({name: fields[place].strip() or None for name, place in present})
        article_id = str(row["article_id"] or "")
        if not _ID.fullmatch(article_id):
            bad.add(line, f"article_id {article_id!r} is no number of up to {ID_LENGTH} digits")
            continue
        article_id = row["article_id"] = article_id.zfill(ID_LENGTH)
        if article_id in line_of:
            bad.add(line, f"article_id {article_id} is there again: line {line_of[article_id]} was kept")
            continue
        line_of[article_id] = line
        row["product_code"] = str(row["product_code"] or article_id[:PRODUCT_LENGTH]).zfill(PRODUCT_LENGTH)
        for name in NUMBER_COLUMNS:
            row[name] = notes.number(name, row[name], line)
        for name, value in row.items():
            values[name].append(value)
    bad_rows = bad.finish(len(line_of))
    types = {name: pl.Int64 if name in NUMBER_COLUMNS else pl.String for name in ARTICLE_COLUMNS}
    source = TableSource(str(path), size, mtime_ns, sha256_of(path), len(line_of), bad_rows, notes.texts())
    return Assortment(pl.DataFrame(values, schema=types), source)


def category_of_articles(articles: pl.DataFrame) -> pl.DataFrame:
    """Columns article_id and category (folder name) of the articles that belong to one of the six categories."""
    return place_articles(articles).filter(pl.col("left_out").is_null()).select("article_id", "category")


def place_articles(
    articles: pl.DataFrame,
    *,
    categories: Sequence[str] = (),
    audience: Sequence[str] = (),
    exclude_types: Sequence[str] = (),
) -> pl.DataFrame:
    """Where each article belongs, or why it is left out.

    Args:
        articles: `Assortment.frame`.
        categories: folder names; none = all six.
        audience: names of `AUDIENCE`, in any case; none = all.
        exclude_types: names of product_type_name to leave out, for example "Garment Set", in any case.

    Returns:
        Columns article_id, category (folder name; null outside the six), left_out (the first reason, in words; null if
        the article takes part).

    Raises:
        ValueError: for a category, audience or product type that does not exist, naming those that do.
    """
    wanted = [get_category(name).folder for name in categories or [c.folder for c in CATEGORIES]]
    people = _known(articles, AUDIENCE, audience, "audience")
    excluded = _known(articles, "product_type_name", exclude_types, "exclude_types")
    folders = {group: category.folder for group, category in CATEGORY_OF_GROUP.items()}
    category = pl.col("product_group_name").replace_strict(folders, default=None, return_dtype=pl.String)
    outside = pl.format("product group {} is none of the six categories", pl.col("product_group_name").fill_null("''"))
    hosiery = pl.col("garment_group_name").eq_missing(pl.lit(HOSIERY_GROUP))
    reason = (
        pl.when(category.is_null())
        .then(outside)
        .when(hosiery)
        .then(pl.lit(f"hosiery (garment group {HOSIERY_GROUP})"))
        .when(~category.is_in(wanted))
        .then(pl.format("category {} was not asked for", category))
        .when(pl.col("product_type_name").str.to_lowercase().is_in(excluded).fill_null(False))
        .then(pl.format("product type {} was excluded", pl.col("product_type_name")))
    )
    if people:
        other = ~pl.col(AUDIENCE).str.to_lowercase().is_in(people).fill_null(False)
        reason = reason.when(other).then(pl.format("audience {} was not asked for", pl.col(AUDIENCE).fill_null("''")))
    return articles.select("article_id", category.alias("category"), reason.otherwise(None).alias("left_out"))


def _known(articles: pl.DataFrame, column: str, names: Sequence[str], flag: str) -> list[str]:
    """The names in lower case, once each is known to be in the column."""
    present = {name.lower(): name for name in articles[column].drop_nulls().unique().sort()} if names else {}
    for name in names:
        if name.lower() not in present:
            raise ValueError(
                f"--{flag} {name!r} is not usable: no article has that {column}; choose of "
                f"{', '.join(present.values()) or 'none, since the column is empty'}."
            )
    return [name.lower() for name in names]


class _Notes:
    """What had to be guessed: counted, with the first line, since a file may have thousands of each."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._numbers: dict[str, list[tuple[int, str]]] = {}
        self.foreign_lines: list[int] = []

    def about_columns(self, columns: Sequence[str]) -> None:
        missing = [name for name in ARTICLE_COLUMNS if name not in columns]
        extra = [name for name in columns if name not in ARTICLE_COLUMNS]
        if missing:
            self._texts.append(f"no column {', '.join(missing)}: taken as empty")
        if extra:
            self._texts.append(f"column {', '.join(extra)} is not H&M's and was not read")

    def number(self, column: str, text: str | int | None, line: int) -> int | None:
        """A whole number, or None after noting that it is none."""
        if text is None:
            return None
        if not _WHOLE_NUMBER.fullmatch(str(text)):
            self._numbers.setdefault(column, []).append((line, str(text)))
            return None
        return int(text)

    def texts(self) -> tuple[str, ...]:
        numbers = [
            f"{column}: {len(found)} values are no whole number and were taken as empty (first: line {found[0][0]}, "
            f"{found[0][1]!r})"
            for column, found in self._numbers.items()
        ]
        foreign = [
            f"{len(self.foreign_lines)} lines are not UTF-8 and were read as Windows-1252 (first: line {line})"
            for line in self.foreign_lines[:1]
        ]
        return (*self._texts, *numbers, *foreign)


Rows = Iterator[tuple[int, list[str] | str]]


def _rows_of_csv(path: Path, notes: _Notes) -> tuple[list[str], Rows]:
    """Header and rows; the whole file is read at once, for a quoted description may hold line breaks."""
    with open_csv(path) as table:
        lines = b"".join(table.blocks()).split(b"\n")
    notes.foreign_lines += [number for number, line in enumerate(lines, start=2) if not _is_utf8(line)]
    return table.columns, rows_of_lines(lines, first_line=2, num_columns=len(table.columns))


def _is_utf8(line: bytes) -> bool:
    if line.isascii():
        return True
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _rows_of_parquet(path: Path) -> tuple[list[str], Rows]:
    columns = list(read_parquet_schema(path))
    frame = pl.read_parquet(path)
    text = frame.select(pl.all().cast(pl.String).fill_null(""))
    return columns, _numbered(text.iter_rows())


def _numbered(rows: Iterable[tuple[str, ...]]) -> Rows:
    for number, row in enumerate(rows, start=1):
        yield number, list(row)

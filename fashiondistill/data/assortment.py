"""A shop's articles in H&M's layout -> one clean frame, and where each article belongs.

In: a folder with articles.csv (or .csv.gz, .csv.zip, .parquet). Out: `Assortment`; a row that cannot be used is named
in its source, the others are kept. Knows nothing of sales or pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fashiondistill.data.categories import CATEGORIES, CATEGORY_OF_GROUP, HOSIERY_GROUP, get_category
from fashiondistill.data.csvtext import fields_of, is_utf8, open_csv, rows_of_lines, unique_names
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

LINE = "(line)"  # column for the number of a row's line while a file is read


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
    bad, notes = BadRows(path), []
    text = _text_of_parquet(path) if path.suffix == ".parquet" else _text_of_csv(path, bad, notes)
    notes += _notes_on_columns(text.columns)
    present = [name for name in ARTICLE_COLUMNS if name in text.columns]
    filled = pl.col(present).str.strip_chars().replace("", None)
    missing = [pl.lit(None, pl.String).alias(name) for name in ARTICLE_COLUMNS if name not in present]
    frame = _with_good_ids(text.select(LINE, filled, *missing), bad)
    for name in NUMBER_COLUMNS:
        frame, note = _with_whole_numbers(frame, name)
        notes += note
    first_digits = pl.col("article_id").str.slice(0, PRODUCT_LENGTH)
    frame = frame.with_columns(pl.col("product_code").fill_null(first_digits).str.zfill(PRODUCT_LENGTH))
    bad_rows = bad.finish(frame.height)
    source = TableSource(str(path), size, mtime_ns, sha256_of(path), frame.height, bad_rows, tuple(notes))
    return Assortment(frame.select(ARTICLE_COLUMNS), source)


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


def _with_good_ids(frame: pl.DataFrame, bad: BadRows) -> pl.DataFrame:
    """Rows whose article_id is a number, each id once, as ten digits; the others go to `bad`."""
    is_id = pl.col("article_id").str.contains(rf"^[0-9]{{1,{ID_LENGTH}}}$").fill_null(False)
    for line, text in frame.filter(~is_id).select(LINE, pl.col("article_id").fill_null("")).iter_rows():
        bad.add(line, f"article_id {text!r} is no number of up to {ID_LENGTH} digits")
    frame = frame.filter(is_id).with_columns(pl.col("article_id").str.zfill(ID_LENGTH))
    first = pl.col("article_id").is_first_distinct()
    again = frame.filter(~first).join(frame.filter(first), on="article_id", maintain_order="left")
    for line, article_id, kept in again.select(LINE, "article_id", f"{LINE}_right").iter_rows():
        bad.add(line, f"article_id {article_id} is there again: line {kept} was kept")
    return frame.filter(first)


def _with_whole_numbers(frame: pl.DataFrame, name: str) -> tuple[pl.DataFrame, list[str]]:
    """A column as integers; what is none becomes null, and a note."""
    number = pl.col(name).cast(pl.Int64, strict=False)
    wrong = frame.filter(pl.col(name).is_not_null() & number.is_null()).select(LINE, name)
    notes = [
        f"{name}: {wrong.height} values are no whole number and were taken as empty (first: line {line}, {text!r})"
        for line, text in wrong.head(1).iter_rows()
    ]
    return frame.with_columns(number), notes


def _notes_on_columns(columns: Sequence[str]) -> list[str]:
    missing = [name for name in ARTICLE_COLUMNS if name not in columns]
    extra = [name for name in columns if name not in (*ARTICLE_COLUMNS, LINE)]
    notes = [f"no column {', '.join(missing)}: taken as empty"] if missing else []
    return [*notes, f"column {', '.join(extra)} is not H&M's and was not read"] if extra else notes


def _text_of_csv(path: Path, bad: BadRows, notes: list[str]) -> pl.DataFrame:
    """All columns as text, and the number of each row's line; rows that are none go to `bad`."""
    with open_csv(path) as table:  # read as a whole, for a quoted description may hold line breaks
        body = b"".join(table.blocks())
    require_columns(path, table.columns, NEEDED_COLUMNS)
    names, lines = unique_names(table.columns), body.split(b"\n")
    frame = _parse_at_once(body, lines, names)
    if frame is not None:
        return frame.with_row_index(LINE, offset=2)
    foreign = [number for number, line in enumerate(lines, start=2) if not is_utf8(line)]
    if foreign:
        notes.append(f"{len(foreign)} lines are not UTF-8 and were read as Windows-1252 (first: line {foreign[0]})")
    rows = []
    for line, fields in rows_of_lines(lines, first_line=2, num_columns=len(names)):
        if isinstance(fields, str):
            bad.add(line, fields)
        else:
            rows.append((line, *fields))
    return pl.DataFrame(rows, schema={LINE: pl.UInt32} | dict.fromkeys(names, pl.String), orient="row")


def _parse_at_once(body: bytes, lines: list[bytes], names: list[str]) -> pl.DataFrame | None:
    """A frame of strings; None unless every line is a row by itself and has all its fields."""
    try:
        frame = pl.read_csv(body, has_header=False, schema=dict.fromkeys(names, pl.String))
    except pl.exceptions.PolarsError:  # row by row it will show which lines it is about
        return None
    if frame.height != len(lines) - 1:
        return None
    # polars gives null for an empty field and for one that is not there: look at those rows again.
    for place in frame[names[-1]].is_null().arg_true().to_list():
        if not isinstance(fields_of(lines[place], len(names)), list):
            return None
    return frame


def _text_of_parquet(path: Path) -> pl.DataFrame:
    columns = read_parquet_schema(path)
    require_columns(path, columns, NEEDED_COLUMNS)
    nested = [name for name in columns if columns[name].is_nested()]
    try:
        text = pl.read_parquet(path).drop(nested).select(pl.all().cast(pl.String))
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"{path} cannot be read as text ({error}): write it again, with columns of text.") from error
    return text.with_row_index(LINE, offset=1)

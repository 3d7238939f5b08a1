"""H&M's transactions file -> its good rows in blocks with fixed types; the bad ones named by their numbers.

In: transactions_train.parquet, .csv, .csv.gz or .csv.zip, of any size, and a function that is handed frames with
columns day (Int32, days since 1970), article (Int64, the id as a number) and price (Float64; 0 where the file has
none). Out: what it returns. Knows nothing of what that is.

Each block of whole lines is parsed at once; only a block that holds anything unusual is read again row by row, so that
a bad row costs itself only. Measured against one scan of the whole file, and against DuckDB, in
benchmarks/bestsellers.py.
"""

from __future__ import annotations

import datetime
import os
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TypeVar

import polars as pl
from tqdm import tqdm

from fashiondistill.data.assortment import ID_LENGTH
from fashiondistill.data.csvtext import no_row_is_short, open_csv, rows_of_lines, unique_names
from fashiondistill.data.tables import BadRows, read_parquet_schema, require_columns

TRANSACTIONS_STEM = "transactions_train"
DAY, ARTICLE, PRICE = "t_dat", "article_id", "price"
ID_LIMIT = 10**ID_LENGTH
FIRST_YEAR, LAST_YEAR = 1990, 2099  # a day outside is a typing error, and would move the first or last week
MAX_PRICE = 1e8  # a coat costs some million of the smallest currencies
BATCH_ROWS = 1_000_000  # of Parquet files
SHOW_PROGRESS_BYTES = 200 * 2**20  # smaller files are read before a bar would be drawn
MAX_THREADS = 4  # each holds a block of 8 MiB and its frame

Summary = TypeVar("Summary")
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_ID = re.compile(r"\+?0*([0-9]{1,10})")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def has_prices(path: Path) -> bool:
    """Whether the file has a price column.

    Raises:
        ValueError: naming the columns that no row can do without, if they are missing.
    """
    if path.suffix == ".parquet":
        columns = list(read_parquet_schema(path))
    else:
        with open_csv(path) as table:
            columns = table.columns
    require_columns(path, columns, (DAY, ARTICLE))
    return PRICE in columns


def read_rows(path: Path, bad: BadRows, summarise: Callable[[pl.DataFrame], Summary]) -> Iterator[Summary]:
    """What `summarise` makes of the good rows, some thousand at a time, in the order of the file.

    Args:
        path: of the file.
        bad: takes the other rows.
        summarise: may be called in several threads at once.
    """
    if path.suffix == ".parquet":
        return map(summarise, _rows_of_parquet(path, bad))
    return _rows_of_csv(path, bad, summarise)


def typed_row(day: str, article: str, price: str) -> tuple[int, int, float] | str:
    """Days since 1970, id and price; or in words what is wrong, naming the column and the value."""
    number = _ID.fullmatch(article)
    if number is None:
        return f"{ARTICLE} {article!r} is no number of up to {ID_LENGTH} digits"
    try:
        date = datetime.date.fromisoformat(day) if _DATE.fullmatch(day) else None
    except ValueError:
        return f"{DAY} {day!r} does not exist"
    if date is None:
        return f"{DAY} {day!r} is no date: write it as YYYY-MM-DD"
    if not FIRST_YEAR <= date.year <= LAST_YEAR:
        return f"{DAY} {day!r} is not between {FIRST_YEAR} and {LAST_YEAR}"
    if not _NUMBER.fullmatch(price):
        return f"{PRICE} {price!r} is no number"
    if not 0 <= float(price) <= MAX_PRICE:
        return f"{PRICE} {price!r} is not between 0 and {MAX_PRICE:.0f} (a return?)"
    return date.toordinal() - _EPOCH, int(number[1]), float(price)


def _is_good() -> pl.Expr:
    """What `typed_row` accepts, for typed columns day (Date), article and price; null where one of them is null."""
    return (
        pl.col("day").is_between(datetime.date(FIRST_YEAR, 1, 1), datetime.date(LAST_YEAR, 12, 31))
        & pl.col("article").is_between(0, ID_LIMIT - 1)
        & pl.col("price").is_between(0, MAX_PRICE)
    )


def _rows_of_csv(path: Path, bad: BadRows, summarise: Callable[[pl.DataFrame], Summary]) -> Iterator[Summary]:
    """Blocks are parsed and summarised in threads, some ahead, and come back in the order of the file."""
    size = path.stat().st_size
    num_threads = min(MAX_THREADS, os.cpu_count() or 1)
    ahead: deque[tuple[bytes, Future]] = deque()
    with (
        open_csv(path) as table,
        ThreadPoolExecutor(num_threads) as pool,
        tqdm(
            total=size if path.suffix == ".csv" else None, desc=f"reading {path.name}", unit="B", unit_scale=True,
            disable=size < SHOW_PROGRESS_BYTES,
        ) as bar,
    ):  # fmt: skip

        def parse(block: bytes) -> tuple[int, Summary] | None:
            rows = _parse_block(block, table.columns)
            return None if rows is None else (rows.height, summarise(rows))

        line = 2
        for block in chain(table.blocks(), (None,)):  # None: the file is at its end
            if block is not None:
                ahead.append((block, pool.submit(parse, block)))
            while len(ahead) > (num_threads if block is not None else 0):
                oldest, parsed = ahead.popleft()
                num_lines, summary = parsed.result() or (oldest.count(b"\n"), None)
                yield summarise(_parse_lines(oldest, line, table.columns, bad)) if summary is None else summary
                line += num_lines
                bar.update(len(oldest))


def _parse_block(block: bytes, columns: list[str]) -> pl.DataFrame | None:
    """The rows of a block; None if it holds anything unusual, so that it must be read row by row."""
    types = {DAY: pl.String, ARTICLE: pl.Int64, PRICE: pl.Float64}
    names = unique_names(columns)
    schema = {name: types.get(name, pl.String) for name in names}
    try:  # all columns, also those that nobody needs: only so does polars see that a row has too many or too few fields
        rows = pl.read_csv(block, has_header=False, schema=schema)
    except pl.exceptions.PolarsError:  # row by row it will show which lines it is about
        return None
    if b'"' in block and rows.height != block.count(b"\n"):  # a quote that goes on over the end of its line
        return None
    price = pl.col(PRICE) if PRICE in names else pl.lit(0.0)
    typed = rows.select(
        pl.col(DAY).str.to_date("%Y-%m-%d", strict=False).alias("day"),
        pl.col(ARTICLE).alias("article"),
        price.alias("price"),
        (pl.col(DAY).str.len_bytes() == 10).alias("is_whole"),
        pl.col(names[-1]).is_null().alias("may_be_short"),
    )
    if not typed.select((_is_good() & pl.col("is_whole")).fill_null(False).all()).item():
        return None
    # polars gives null for a last field that is empty and for one that is not there
    if typed["may_be_short"].any() and not no_row_is_short(block, num_rows=rows.height, num_columns=len(names)):
        return None
    return typed.select(pl.col("day").cast(pl.Int32), "article", "price")


def _parse_lines(block: bytes, first_line: int, columns: list[str], bad: BadRows) -> pl.DataFrame:
    """The good rows of a block, read one by one; the others go to `bad`."""
    places = [columns.index(name) if name in columns else None for name in (DAY, ARTICLE, PRICE)]
    found: list[tuple[int, int, float]] = []
    lines = block.split(b"\n")
    for line, fields in rows_of_lines(lines, first_line=first_line, num_columns=len(columns), max_lines=1):
        values: tuple[int, int, float] | str
        if isinstance(fields, str):
            values = fields
        else:
            values = typed_row(*("0" if place is None else fields[place].strip() for place in places))
        if isinstance(values, str):
            bad.add(line, values)
        else:
            found.append(values)
    return pl.DataFrame(found, schema={"day": pl.Int32, "article": pl.Int64, "price": pl.Float64}, orient="row")


def _rows_of_parquet(path: Path, bad: BadRows) -> Iterator[pl.DataFrame]:
    columns = read_parquet_schema(path)
    present = [name for name in (DAY, ARTICLE, PRICE) if name in columns]
    nested = [name for name in present if columns[name].is_nested()]
    if nested:
        raise ValueError(f"{path}: column {nested[0]} holds {columns[nested[0]]}: it must hold one plain value a row.")
    typed = [
        _as_day(columns[DAY]).alias("day"),
        _as_number(columns[ARTICLE]).alias("article"),
        (pl.col(PRICE).cast(pl.Float64, strict=False) if PRICE in columns else pl.lit(0.0)).alias("price"),
    ]
    num_read = 0
    for batch in _batches(path, [*typed, pl.col(present).name.suffix(" as given")]):
        good = batch.select(_is_good().fill_null(False)).to_series()
        for place in (~good).arg_true().to_list():
            values = [_as_text(batch[f"{n} as given"][place]) if n in present else "0" for n in (DAY, ARTICLE, PRICE)]
            reason = typed_row(*values)
            bad.add(num_read + place + 1, reason if isinstance(reason, str) else f"{values} cannot be used")
        num_read += batch.height
        yield batch.filter(good).select(pl.col("day").cast(pl.Int32), "article", "price")


def _as_day(dtype: pl.DataType) -> pl.Expr:
    if dtype.is_temporal():
        return pl.col(DAY).cast(pl.Date, strict=False)
    text = pl.col(DAY).cast(pl.String).str.strip_chars()
    return pl.when(text.str.len_bytes() == 10).then(text.str.to_date("%Y-%m-%d", strict=False))


def _as_number(dtype: pl.DataType) -> pl.Expr:
    column = pl.col(ARTICLE)
    return (column if dtype.is_integer() else column.cast(pl.String).str.strip_chars()).cast(pl.Int64, strict=False)


def _as_text(value: object) -> str:
    """A value as it would stand in a CSV file; of a point in time its day."""
    if value is None:
        return ""
    return (value.date().isoformat() if isinstance(value, datetime.datetime) else str(value)).strip()


def _batches(path: Path, columns: list[pl.Expr]) -> Iterator[pl.DataFrame]:
    """Scans of slices: one scan of all would decode whole row groups, and a single one may hold the whole file."""
    num_rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    num_left = num_rows
    for start in range(0, num_rows, BATCH_ROWS):
        rows = pl.scan_parquet(path).slice(start, BATCH_ROWS).select(columns)
        try:
            for batch in rows.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
                num_left -= batch.height
                yield batch
        except (pl.exceptions.PolarsError, OSError) as error:
            raise ValueError(f"{path} cannot be read as a Parquet file ({error}): fetch or write it again.") from error
    if num_left:  # a damaged page ends polars 2.1's batches without an error
        raise ValueError(f"{path} is a damaged Parquet file, {num_left} rows are unreadable: fetch or write it again.")

"""Another shop's export -> H&M's layout, by a TOML file that says which column is which.

In: two CSV files, pictures if there are any, and the mapping (docs/columns.toml is an example). Out: articles.csv,
transactions_train.parquet, images/, ids.csv (the shop's id -> ten digits; kept and extended by the next run) and
bad_rows.csv. Everything else of this project then reads that folder as it reads H&M's. Articles are read whole, sales
in blocks, so that memory does not grow with the years. Knows nothing of weeks.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from tqdm import tqdm

from fashiondistill.config import MapColumnsConfig
from fashiondistill.data.assortment import ARTICLE_COLUMNS, ARTICLES_FILE, ID_LENGTH, NEEDED_COLUMNS
from fashiondistill.data.csvtext import CsvTable, open_csv, unique_names
from fashiondistill.data.shop import image_path
from fashiondistill.data.transactions import ARTICLE, DAY, PRICE, TRANSACTIONS_STEM
from fashiondistill.images import read_image

IDS_FILE, BAD_ROWS_FILE = "ids.csv", "bad_rows.csv"
LINE = "(line)"
FIRST_ID = 100_000_001  # below H&M's own, so that mixed folders would show
SETTINGS = {
    "articles": ("file", "separator", "image", "values"),
    "transactions": ("file", "separator", "date_format", "decimal_comma", "quantity"),
}
COLUMNS = {"articles": ARTICLE_COLUMNS, "transactions": (DAY, ARTICLE, PRICE, "customer_id", "sales_channel_id")}
REQUIRED = {"articles": NEEDED_COLUMNS, "transactions": (DAY, ARTICLE)}
MAX_QUANTITY = 10_000  # of one row; more is another column, such as a total
MAX_BLOCKS_OF_ROW = 4  # of `csvtext.BLOCK_BYTES`; a quote that was never closed must not swallow the file
PART_UNITS = 1_000_000  # units in memory at once: a row of many units becomes as many rows


@dataclass(frozen=True)
class Mapped:
    """What was written: numbers of articles, units, rows left out (reason -> rows) and pictures."""

    num_articles: int
    num_units: int
    left_out: dict[str, int]
    num_pictures: int


def map_columns(config: MapColumnsConfig) -> Mapped:
    """Write the shop's export in H&M's layout.

    Raises:
        FileNotFoundError: naming the file.
        ValueError: naming the entry of the mapping or the column that is wrong.
    """
    source, out = Path(config.source), Path(config.out)
    mapping = read_mapping(Path(config.columns))
    articles = pl.concat(_read(source, mapping, "articles"))
    sales = _read(source, mapping, "transactions")
    out.mkdir(parents=True, exist_ok=True)
    ids = _numbered(articles["article_id"], out / IDS_FILE)
    bad = _BadRows(out / BAD_ROWS_FILE)
    articles = _articles(articles, mapping["articles"], ids, bad)
    num_units = _write_sales(out / f"{TRANSACTIONS_STEM}.parquet", sales, mapping["transactions"], ids, bad)
    num_pictures = _copy_pictures(source, out, articles, mapping["articles"], bad)
    _write(out / ARTICLES_FILE, lambda path: articles.select(ARTICLE_COLUMNS).write_csv(path))
    bad.finish()
    return Mapped(articles.height, num_units, dict(bad.counts), num_pictures)


class _BadRows:
    """bad_rows.csv, written as rows come, so that a file that is all wrong does not fill the memory."""

    def __init__(self, path: Path) -> None:
        self.path, self.part = path, path.with_name(path.name + ".part")
        self.counts: Counter[str] = Counter()  # file and reason without its example -> rows
        self.first_of: dict[str, str] = {}  # file -> first reason
        pl.DataFrame(schema={"file": pl.String, "line": pl.Int64, "reason": pl.String}).write_csv(self.part)

    def add(self, file: str, rows: pl.DataFrame) -> None:
        """Rows with line and reason."""
        if not rows.height:
            return
        with open(self.part, "ab") as written:
            rows.select(pl.lit(file).alias("file"), "line", "reason").write_csv(written, include_header=False)
        self.first_of.setdefault(file, rows["reason"][0])
        kinds = rows["reason"].str.replace(r" \(.*$", "").value_counts()
        self.counts.update({f"{file}: {reason}": number for reason, number in kinds.iter_rows()})

    def finish(self) -> None:
        os.replace(self.part, self.path)


def read_mapping(path: Path) -> dict:
    """The TOML file, once its tables and keys are known to be right.

    Raises:
        FileNotFoundError, ValueError: naming the file, the table and the key.
    """
    if not path.is_file():
        raise FileNotFoundError(f"--columns {path} does not exist: copy docs/columns.toml and change the names in it.")
    try:
        mapping = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"--columns {path} is no TOML file ({error}): see docs/columns.toml.") from error
    for table, required in REQUIRED.items():
        entries = mapping.get(table)
        if not isinstance(entries, dict):
            raise ValueError(f"--columns {path} lacks the table [{table}]: see docs/columns.toml.")
        missing = [name for name in ("file", *required) if name not in entries]
        if missing:
            raise ValueError(f"--columns {path}: [{table}] lacks {', '.join(missing)}: see docs/columns.toml.")
        unknown = [name for name in entries if name not in (*COLUMNS[table], *SETTINGS[table])]
        if unknown:
            raise ValueError(
                f"--columns {path}: [{table}] has {unknown[0]!r}, which is none of {', '.join(COLUMNS[table])} or "
                f"{', '.join(SETTINGS[table])}."
            )
    return mapping


def _read(source: Path, mapping: dict, table: str) -> Iterator[pl.DataFrame]:
    """The mapped columns as text, with H&M's names and each row's line, some megabytes at a time.

    polars' own scan is faster, but reads ahead without end: 1.4 GB for a file of 175 MB.
    """
    entries = mapping[table]
    path, separator = source / entries["file"], entries.get("separator", ",")
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: [{table}] of the mapping names it as file, below --source.")
    names = {hm: entries[hm] for hm in (*COLUMNS[table], "quantity", "image") if hm in entries}
    chosen = [pl.col(own).str.strip_chars().replace("", None).alias(hm) for hm, own in names.items()]
    with open_csv(path, separator=separator) as opened:
        missing = [f"{hm} = {own!r}" for hm, own in names.items() if own not in opened.columns]
        if missing:
            found = ", ".join(opened.columns)
            raise ValueError(f"{path} lacks the column of {missing[0]} in [{table}]: it has {found}.")
        header = separator.join('"' + name.replace('"', '""') + '"' for name in unique_names(opened.columns))
        line = 2
        for block in _whole_rows(opened):
            try:
                rows = pl.read_csv(header.encode() + b"\n" + block, separator=separator, infer_schema=False)
            except pl.exceptions.PolarsError as error:
                reason = str(error).splitlines()[0]
                raise ValueError(f"{path} cannot be read as CSV ({reason}): check separator in [{table}].") from error
            yield rows.select(pl.int_range(line, line + pl.len(), dtype=pl.Int64).alias(LINE), *chosen)
            line += rows.height


def _whole_rows(opened: CsvTable) -> Iterator[bytes]:
    """Blocks that end with a row: not inside quotes, which are then even in number."""
    waiting: list[bytes] = []
    for block in opened.blocks():
        waiting.append(block)
        if sum(part.count(b'"') for part in waiting) % 2 == 0:
            yield b"".join(waiting)
            waiting = []
        elif len(waiting) == MAX_BLOCKS_OF_ROW:
            break
    if waiting:
        raise ValueError(f"{opened.path} cannot be read as CSV: a quote is opened and never closed.")


def _numbered(skus: pl.Series, path: Path) -> pl.DataFrame:
    """Columns sku and article_id (ten digits); ids of earlier runs stay, new ones follow."""
    known = pl.read_csv(path, infer_schema=False) if path.is_file() else pl.DataFrame({"sku": [], "article_id": []})
    known = known.cast(pl.String)
    fresh = skus.drop_nulls().unique(maintain_order=True).to_frame("sku").join(known, on="sku", how="anti")
    first = int(known["article_id"].max() or FIRST_ID - 1) + 1
    numbers = pl.int_range(first, first + fresh.height, eager=True).cast(pl.String).str.zfill(ID_LENGTH)
    ids = pl.concat([known, fresh.with_columns(numbers.alias("article_id"))])
    _write(path, lambda part: ids.write_csv(part))
    return ids


def _with_ids(rows: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
    return rows.rename({"article_id": "sku"}).join(ids, on="sku", how="left", maintain_order="left")


def _articles(rows: pl.DataFrame, entries: dict, ids: pl.DataFrame, bad: _BadRows) -> pl.DataFrame:
    """H&M's 25 columns and `image`, with H&M's words."""
    again = ~pl.col("article_id").is_first_distinct()
    rows = _refuse(rows, pl.col("article_id").is_null(), pl.lit("no article_id"), entries["file"], bad)
    rows = _refuse(rows, again, pl.format("article_id is there again ({})", "article_id"), entries["file"], bad)
    for column, words in entries.get("values", {}).items():
        if column not in rows.columns:
            raise ValueError(f"[articles.values.{column}]: [articles] names no column for {column}.")
        rows = rows.with_columns(pl.col(column).replace(words))
    rows = _with_ids(rows, ids)
    missing = [pl.lit(None, pl.String).alias(name) for name in (*ARTICLE_COLUMNS, "image") if name not in rows.columns]
    return rows.with_columns(missing)


def _write_sales(path: Path, blocks: Iterator[pl.DataFrame], entries: dict, ids: pl.DataFrame, bad: _BadRows) -> int:
    """Write H&M's transactions, block by block; returns the number of units."""
    num_units = 0
    with tempfile.TemporaryDirectory(prefix=".part-", dir=path.parent) as parts:
        for number, units in enumerate(_units(blocks, entries, ids, bad)):
            units.write_parquet(Path(parts) / f"{number:06d}.parquet")
            num_units += units.height
        if not num_units:
            bad.finish()  # it says what is wrong with every row
            raise ValueError(
                f"[transactions] {entries['file']}: no row can be used, the first: "
                f"{bad.first_of.get(entries['file'], 'it is empty')}. Check article_id and date_format of the mapping."
            )
        _write(path, lambda part: pl.scan_parquet(Path(parts) / "*.parquet").sink_parquet(part))
    return num_units


def _units(blocks: Iterator[pl.DataFrame], entries: dict, ids: pl.DataFrame, bad: _BadRows) -> Iterator[pl.DataFrame]:
    """Frames of H&M's five columns, one row a unit, in the order of the file."""
    for block in blocks:
        yield from _by_unit(_sales(block, entries, ids, bad))


def _by_unit(sales: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """A row for each unit, about `PART_UNITS` at a time."""
    if "quantity" not in sales.columns:
        yield sales
        return
    amount = pl.col("quantity").cast(pl.Int64)
    numbered = sales.with_columns((amount.cum_sum() // PART_UNITS).alias("(part)"))
    for part in numbered.partition_by("(part)", maintain_order=True, include_key=False):
        yield part.select(pl.all().exclude("quantity").repeat_by(amount.cast(pl.UInt32))).explode(pl.all())


def _sales(rows: pl.DataFrame, entries: dict, ids: pl.DataFrame, bad: _BadRows) -> pl.DataFrame:
    """The rows that can be used: H&M's five columns, and quantity if the file has one."""
    file, form = entries["file"], entries.get("date_format", "%Y-%m-%d")
    rows = _with_ids(rows, ids)
    rows = _refuse(
        rows, pl.col("article_id").is_null(), pl.format("article is not in the articles ({})", "sku"), file, bad
    )
    day = pl.col(DAY).str.to_date(form, strict=False)
    rows = _refuse(rows, day.is_null(), pl.format("t_dat is no date as in date_format ({})", DAY), file, bad)
    typed = [day.alias(DAY)]
    for name in (PRICE, "quantity"):
        if name in rows.columns:
            text = pl.col(name).str.replace(",", ".") if entries.get("decimal_comma") else pl.col(name)
            number = text.cast(pl.Float64, strict=False)
            rows = _refuse(rows, number.is_null(), pl.format(f"{name} is no number ({{}})", name), file, bad)
            typed.append(number.alias(name))
    rows = rows.with_columns(typed)
    if "quantity" in rows.columns:
        amount = pl.col("quantity")
        rows = _refuse(rows, amount < 1, pl.format("quantity below 1 ({})", "quantity"), file, bad)
        wrong = (amount > MAX_QUANTITY) | (amount != amount.round())
        rows = _refuse(
            rows, wrong, pl.format(f"quantity is no whole number up to {MAX_QUANTITY} ({{}})", "quantity"), file, bad
        )
    if "customer_id" not in rows.columns:
        rows = rows.with_columns(pl.lit("unknown").alias("customer_id"))
    if "sales_channel_id" not in rows.columns:
        rows = rows.with_columns(pl.lit(1).alias("sales_channel_id"))
    return rows.select(
        name for name in (DAY, "customer_id", ARTICLE, PRICE, "sales_channel_id", "quantity") if name in rows.columns
    )


def _refuse(rows: pl.DataFrame, wrong: pl.Expr, reason: pl.Expr, file: str, bad: _BadRows) -> pl.DataFrame:
    """The rows for which `wrong` is false; the others go to `bad`."""
    marked = rows.with_columns(wrong.fill_null(False).alias("(wrong)"))
    refused = marked.filter("(wrong)")
    if refused.height:
        described = reason.fill_null("empty").cast(pl.String).alias("reason")
        bad.add(file, refused.select(pl.col(LINE).alias("line"), described))
    return marked.filter(~pl.col("(wrong)")).drop("(wrong)")


def _copy_pictures(source: Path, out: Path, articles: pl.DataFrame, entries: dict, bad: _BadRows) -> int:
    """Pictures as JPEG where H&M's layout has them; those that are there already stay. Returns how many are there."""
    named = articles.filter(pl.col("image").is_not_null()).select(LINE, "article_id", "image")
    done, refused = 0, []
    rows = tqdm(named.iter_rows(), total=named.height, desc="pictures", disable=named.height < 200)
    for line, article_id, name in rows:
        target, picture = image_path(out, article_id), source / name
        if not picture.resolve().is_relative_to(source.resolve()):
            raise ValueError(f"[articles] image = {entries['image']!r}: {name!r} lies outside --source {source}.")
        try:
            if not target.is_file():
                pixels = read_image(picture, field="image")
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(target, lambda path, pixels=pixels: pixels.save(path, format="JPEG", quality=95))
            done += 1
        except (ValueError, FileNotFoundError) as error:  # the article is sold all the same
            refused.append((line, f"picture left out ({error})"))
    bad.add(entries["file"], pl.DataFrame(refused, schema={"line": pl.Int64, "reason": pl.String}, orient="row"))
    return done


def _write(path: Path, write) -> None:  # noqa: ANN001 - a function of the path
    """Write to a file beside it, then rename: a killed run leaves no half-written file."""
    part = path.with_name(path.name + ".part")
    write(part)
    os.replace(part, path)

"""What was sold: units and revenue per day and article, in bounded memory, kept on disk for the next run.

In: a folder with H&M's transactions in one of their forms. Out: `DailySales`, a lazy frame over a slim Parquet copy,
with the days, the file's hash and its bad rows. A row is one unit: repeated rows are quantities and stay. Knows nothing
of articles, weeks or categories.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fashiondistill.data.tables import BadRow, BadRows, TableSource, find_table, sha256_of, stamp
from fashiondistill.data.transactions import ID_LIMIT, PRICE, TRANSACTIONS_STEM, has_prices, read_rows

# Prices are added up as whole numbers, so that the order of the rows cannot decide between equal revenues. A step is
# far below a cent of H&M's price unit (1/59,000); whether the sums fit into 64 bits is checked where they are made.
PRICE_STEPS = 10**8
CACHE_VERSION = 1  # of what is stored; entries of another version are read anew
PART_ROWS = 1_000_000
FACTS_FILE = "facts.json"
KEEP_SECONDS = 86_400  # for which an unfinished entry may still belong to a run
_EPOCH = datetime.date(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class DailySales:
    """What was sold. The frame reads from disk, so use it while `open_sales` is open.

    Attributes:
        frame: columns day (Date), article (Int64, the id as a number), units (Int64) and revenue (Int64, sum of prices
            in steps of 1 / PRICE_STEPS; 0 where the file has no prices); a day and article may come more than once.
        rows_of_day: day -> rows, in order of time.
        has_prices: whether the file has a price column.
        max_price: the largest of the prices.
        source: the file, its hash and its bad rows.
    """

    frame: pl.LazyFrame
    rows_of_day: dict[datetime.date, int]
    has_prices: bool
    max_price: float
    source: TableSource


def user_cache_dir() -> Path:
    """Where slim copies of sales are kept unless the user says otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fashiondistill" / "sales"


def why_not_writable(cache_dir: Path) -> str:
    """ "" if slim copies can be kept there (the folder is made if need be), else the reason."""
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache_dir):  # os.access does not know of every file system that refuses
            return ""
    except OSError as error:
        return error.strerror or str(error)


@contextmanager
def open_sales(folder: Path, *, cache_dir: Path | None = None) -> Iterator[DailySales]:
    """Read the transactions of a folder, or what an earlier run kept of the same file.

    Args:
        folder: holds one of the forms of transactions_train.
        cache_dir: where to keep the slim copy; None keeps it only while the context is open. A file counts as the same
            while its path, size and time of change are.

    Raises:
        FileNotFoundError: naming the files.
        ValueError: if columns are missing, no row is usable, the file is damaged, or changes while it is read.
    """
    path = find_table(folder, TRANSACTIONS_STEM)
    if cache_dir is None:
        with tempfile.TemporaryDirectory(prefix="fashiondistill-") as temporary:
            _read_into(Path(temporary), path)
            yield _open_entry(Path(temporary))
        return
    entry = _entry_of(Path(cache_dir), path)
    if not (entry / FACTS_FILE).is_file():
        _fill_entry(entry, path)
    yield _open_entry(entry)


# The cache holds one folder per file, and in it one entry per state of that file.


def _entry_of(cache_dir: Path, path: Path) -> Path:
    size, mtime_ns = stamp(path)
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:24]
    return cache_dir / name / f"{size}-{mtime_ns}-v{CACHE_VERSION}"


def _fill_entry(entry: Path, path: Path) -> None:
    """Read into a folder beside the entry, then rename it: a killed run leaves no half-written entry."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    for old in entry.parent.iterdir():  # earlier states of the file, and what was left by runs that were killed
        if not old.name.startswith(".part-") or time.time() - old.stat().st_mtime > KEEP_SECONDS:
            shutil.rmtree(old)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=entry.parent))
    try:
        _read_into(part, path)
        if not entry.exists():  # a run beside this one may have been faster
            os.replace(part, entry)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _open_entry(entry: Path) -> DailySales:
    facts = json.loads((entry / FACTS_FILE).read_text(encoding="utf-8"))
    source = facts["source"]
    bad_rows = tuple(BadRow(**row) for row in source["bad_rows"])
    return DailySales(
        frame=pl.scan_parquet(entry / "part-*.parquet"),
        rows_of_day={datetime.date.fromisoformat(day): rows for day, rows in facts["rows_of_day"].items()},
        has_prices=facts["has_prices"],
        max_price=facts["max_price"],
        source=TableSource(**(source | {"bad_rows": bad_rows, "notes": tuple(source["notes"])})),
    )


def _read_into(folder: Path, path: Path) -> None:
    """Write part-NNNN.parquet and facts.json."""
    before, bad, writer = stamp(path), BadRows(path), _PartWriter(folder)
    with_prices = has_prices(path)
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(sha256_of, path)
        for counts in read_rows(path, bad, _count):
            writer.add(counts)
    writer.flush()
    bad_rows = bad.finish(writer.num_rows)
    if stamp(path) != before:
        raise ValueError(f"{path} changed while it was read: wait until it is complete and repeat the command.")
    notes = () if with_prices else (f"no column {PRICE}: revenue is unknown and taken as 0",)
    facts = {
        "source": dataclasses.asdict(
            TableSource(str(path), *before, digest.result(), writer.num_rows, bad_rows, notes)
        ),
        "has_prices": with_prices,
        "max_price": writer.max_price,
        "rows_of_day": {day.isoformat(): rows for day, rows in sorted(writer.rows_of_day.items())},
    }
    (folder / FACTS_FILE).write_text(json.dumps(facts) + "\n", encoding="utf-8")


@dataclass(frozen=True, eq=False)
class _Counts:
    """Rows added up by day and article: columns key (day * ID_LIMIT + article), units, revenue; and rows by day."""

    frame: pl.DataFrame
    days: pl.DataFrame
    num_rows: int
    max_price: float


def _count(rows: pl.DataFrame) -> _Counts:
    key = pl.col("day").cast(pl.Int64) * ID_LIMIT + pl.col("article")
    price = (pl.col("price") * PRICE_STEPS).round().cast(pl.Int64)
    ordered = rows.select(key.alias("key"), price.alias("revenue")).sort("key")  # then it packs well, and groups faster
    frame = ordered.group_by("key", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("units"), pl.col("revenue").sum()
    )
    days = ordered.select((pl.col("key") // ID_LIMIT).rle().alias("runs")).unnest("runs")
    return _Counts(frame, days, rows.height, rows["price"].max() if rows.height else 0.0)


class _PartWriter:
    """Writes counts in parts of some size, and keeps the sums that are asked for most."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.num_rows = 0
        self.max_price = 0.0
        self.rows_of_day: Counter[datetime.date] = Counter()
        self._waiting: list[pl.DataFrame] = []
        self._num_parts = 0

    def add(self, counts: _Counts) -> None:
        self.num_rows += counts.num_rows
        self.max_price = max(self.max_price, counts.max_price)
        for num_rows, day in counts.days.iter_rows():
            self.rows_of_day[_EPOCH + datetime.timedelta(days=day)] += num_rows
        self._waiting.append(counts.frame)
        if sum(frame.height for frame in self._waiting) >= PART_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        frame = pl.concat(self._waiting).select(
            (pl.col("key") // ID_LIMIT).cast(pl.Int32).cast(pl.Date).alias("day"),
            (pl.col("key") % ID_LIMIT).alias("article"),
            "units",
            "revenue",
        )
        self._waiting = []
        part = self.folder / f"part-{self._num_parts:04d}.parquet"
        frame.write_parquet(part, compression="zstd", compression_level=1)
        self._num_parts += 1

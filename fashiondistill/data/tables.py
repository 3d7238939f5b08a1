"""The files of tables as shops send them: found, stamped, and every bad row named by its number.

In: a folder and the stem of a file that may be NAME.parquet, NAME.csv, NAME.csv.gz or NAME.csv.zip. Out: paths, and
`TableSource` and `BadRow`, which say what was read and what was not: nothing is dropped in silence. Knows nothing of
sales.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

SUFFIXES = (".parquet", ".csv", ".csv.gz", ".csv.zip")  # in order of preference; Kaggle's single files come as .csv.zip
MAX_BAD_ROWS = 100_000  # a file with more is another kind of file, or broken on the way


@dataclass(frozen=True)
class BadRow:
    """A row that was left out.

    Attributes:
        file: its name.
        line: of the file, the header being line 1; the number of the row in a Parquet file, the first being 1.
        reason: names the column and the value.
    """

    file: str
    line: int
    reason: str


@dataclass(frozen=True)
class TableSource:
    """Which file was read, and what it held.

    Attributes:
        path: as given.
        size: bytes on disk.
        mtime_ns: time of the last change.
        sha256: of the file on disk.
        num_rows: rows that were kept.
        bad_rows: rows that were not.
        notes: what the reader had to guess or leave out, in words.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str
    num_rows: int
    bad_rows: tuple[BadRow, ...]
    notes: tuple[str, ...] = ()


def find_table(folder: Path, stem: str) -> Path:
    """The file of a table, the first of `SUFFIXES` that exists.

    Raises:
        FileNotFoundError: naming the file that is missing and the other forms it may have.
    """
    for suffix in SUFFIXES:
        path = Path(folder) / f"{stem}{suffix}"
        if path.is_file():
            return path
    others = ", ".join(suffix for suffix in SUFFIXES if suffix != ".csv")
    raise FileNotFoundError(
        f"{Path(folder) / stem}.csv does not exist (nor {others}): give a folder that holds H&M's files, or make one "
        "with python -m fashiondistill.data.catalogue."
    )


def read_parquet_schema(path: Path) -> pl.Schema:
    """Names and types of a Parquet file's columns.

    Raises:
        ValueError: if it is none.
    """
    try:
        return pl.Schema(pl.read_parquet_schema(path))
    except (pl.exceptions.ComputeError, OSError) as error:
        raise ValueError(f"{path} is no Parquet file ({error}): fetch or write it again.") from error


def stamp(path: Path) -> tuple[int, int]:
    """Size and time of the last change: while they stay, so does what was read."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_columns(path: Path, found: Iterable[str], needed: Iterable[str]) -> None:
    """Raise ValueError naming the columns that are missing."""
    present, needed = list(found), tuple(needed)
    missing = [name for name in needed if name not in present]
    twice = [name for name in needed if present.count(name) > 1]
    if missing:
        hint = " Columns must be separated by commas." if len(present) == 1 else ""
        raise ValueError(
            f"{path} lacks column {', '.join(missing)}: it must have H&M's columns {', '.join(needed)}.{hint}"
        )
    if twice:
        raise ValueError(f"{path} has column {twice[0]} more than once: keep one.")


class BadRows:
    """Collects the bad rows of one file; too many are an error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[BadRow] = []

    def add(self, line: int, reason: str) -> None:
        """Note a row that is left out.

        Raises:
            ValueError: once there are more than `MAX_BAD_ROWS`.
        """
        self.rows.append(BadRow(self.path.name, line, reason))
        if len(self.rows) > MAX_BAD_ROWS:
            raise ValueError(
                f"{self.path} has more than {MAX_BAD_ROWS} bad rows, the first: {describe(self.rows[0])} "
                "Check that it is the right file and separated by commas."
            )

    def finish(self, num_good: int) -> tuple[BadRow, ...]:
        """The rows in order of their lines.

        Raises:
            ValueError: if no row was good.
        """
        ordered = sorted(self.rows, key=lambda row: row.line)
        if not num_good:
            first = f": {describe(ordered[0])}" if ordered else "."
            raise ValueError(f"{self.path} has no usable row{first}")
        return tuple(ordered)


def describe(row: BadRow) -> str:
    """One line for people."""
    return f"{row.file} line {row.line}: {row.reason}"

"""CSV files of any size, plain or packed: the header, blocks of whole lines, and rows of fields.

In: a path of a .csv, .csv.gz or .csv.zip file. Out: `CsvTable`; from its lines rows of fields, or in words why a line
is none. Packed files are unpacked as they are read, and refused once they grow like a bomb. Knows nothing of columns.
"""

from __future__ import annotations

import csv
import gzip
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

BLOCK_BYTES = 8 * 2**20  # 4 to 8 MiB took the least time (2 cores)
MAX_LINE_BYTES = 2**20  # well below a block
# Sales unpack to 6 to 30 times their size, zeros to 1,000 times.
MAX_EXPANSION = 200
FREE_BYTES = 64 * 2**20  # so much may come out of a file of any size
MAX_LINES_OF_ROW = 20  # a quoted text with line breaks; a quote that was never closed must not swallow the file
_QUOTED = re.compile(rb'(?<![^,\n])"(?:[^"\n]|"")*"(?![^,\n])')  # a whole field


@contextmanager
def open_csv(path: Path, *, separator: str = ",") -> Iterator[CsvTable]:
    """Open a .csv, .csv.gz or .csv.zip file and read its header.

    Raises:
        ValueError: not UTF-8 text, no header, damaged, or growing like a bomb as it is unpacked.
    """
    with ExitStack() as stack:
        raw = stack.enter_context(open(path, "rb"))
        if path.suffix == ".gz":
            stream: BinaryIO = stack.enter_context(gzip.GzipFile(fileobj=raw))
        elif path.suffix == ".zip":
            stream = stack.enter_context(_only_member(path, raw))
        else:
            stream = raw
        limited = _Limited(path, stream, packed_bytes=0 if stream is raw else path.stat().st_size)
        yield CsvTable(path, limited, separator)


def _only_member(path: Path, raw: BinaryIO) -> BinaryIO:
    try:
        archive = zipfile.ZipFile(raw)
        names = [entry for entry in archive.infolist() if not entry.is_dir() and "__MACOSX" not in entry.filename]
        if len(names) != 1:
            raise ValueError(f"{path} holds {len(names)} files: pack one CSV file into it.")
        return archive.open(names[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # the last: it wants a password
        raise ValueError(f"{path} cannot be unpacked ({error}): pack it again, as a plain zip or .gz.") from error


class _Limited:
    """A stream that refuses to grow far beyond its packed size (0 = it is not packed)."""

    def __init__(self, path: Path, stream: BinaryIO, *, packed_bytes: int) -> None:
        self.path, self._stream, self._num_read = path, stream, 0
        self._limit = max(FREE_BYTES, MAX_EXPANSION * packed_bytes) if packed_bytes else None

    def readline(self) -> bytes:
        with self._explained():
            line = self._stream.readline(MAX_LINE_BYTES + 1)
        self._num_read += len(line)
        return line

    def readinto(self, buffer: memoryview) -> int:
        with self._explained():
            count = self._stream.readinto(buffer)
        self._num_read += count
        if self._limit is not None and self._num_read > self._limit:
            raise ValueError(
                f"{self.path} unpacks to more than {MAX_EXPANSION} times its size, which sales never do: refused. "
                "Unpack it yourself if you trust it."
            )
        return count

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise ValueError(f"{self.path} is damaged or cut off ({error}): fetch or pack it again.") from error


class CsvTable:
    """An open CSV file.

    Attributes:
        path: of the file.
        columns: names of the header, without spaces around them.
    """

    def __init__(self, path: Path, stream: _Limited, separator: str = ",") -> None:
        self.path, self._stream = path, stream
        header = stream.readline()
        if header[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise ValueError(f"{path} is UTF-16 text: save it as CSV in UTF-8.")
        if len(header) > MAX_LINE_BYTES:
            raise ValueError(f"{path}: line 1 is longer than {MAX_LINE_BYTES} bytes: this is no CSV file.")
        try:
            text = header.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not text in UTF-8 ({error}): save it as CSV in UTF-8.") from error
        try:
            self.columns = [name.strip() for name in next(csv.reader([text], delimiter=separator), [])]
        except csv.Error as error:  # for example lines that end in a carriage return only
            raise ValueError(f"{path}: line 1 is no CSV ({error}): save it as CSV in UTF-8.") from error
        if not any(self.columns):
            raise ValueError(f"{path} has no header: its first line must name the columns.")

    def blocks(self) -> Iterator[bytes]:
        """The rest of the file in blocks of whole lines; every line ends in a bare line feed."""
        buffer = bytearray(BLOCK_BYTES)  # one for all: a new one each time costs more than parsing it
        view, kept = memoryview(buffer), 0
        while count := self._stream.readinto(view[kept:]):
            filled = kept + count
            end = buffer.rfind(b"\n", 0, filled) + 1
            if end:
                yield _with_line_feeds(bytes(view[:end]))
            kept = filled - end
            if kept > MAX_LINE_BYTES:
                raise ValueError(f"{self.path}: a line is longer than {MAX_LINE_BYTES} bytes: this is no CSV file.")
            view[:kept] = bytes(view[end:filled])
        if kept:
            yield _with_line_feeds(bytes(view[:kept]) + b"\n")


def _with_line_feeds(block: bytes) -> bytes:
    return block.replace(b"\r\n", b"\n") if b"\r" in block else block


def no_row_is_short(block: bytes, *, num_rows: int, num_columns: int) -> bool:
    """Whether every row of a block has all its fields, by their commas, given that none has too many.

    Args:
        block: without rows that go on over the end of their line.
        num_rows: rows of the block.
        num_columns: fields that a row must have.
    """
    bare = _QUOTED.sub(b"", block) if b'"' in block else block
    return bare.count(b",") == num_rows * (num_columns - 1)


def rows_of_lines(
    lines: list[bytes], *, first_line: int, num_columns: int, max_lines: int = MAX_LINES_OF_ROW
) -> Iterator[tuple[int, list[str] | str]]:
    """Read lines one row after the other, so that a bad one costs itself only.

    Args:
        lines: without their line feeds; empty ones are passed over.
        first_line: number of the first.
        num_columns: fields that a row must have.
        max_lines: lines that a row may take up because of line breaks inside quotes.

    Yields:
        Number of the row's first line, and its fields, or in words what is wrong with it. A line that is not UTF-8 is
        read as Windows-1252.
    """
    place = 0
    while place < len(lines):
        number, taken = first_line + place, 1
        row = lines[place]
        while row.count(b'"') % 2 and taken < max_lines and place + taken < len(lines):
            row += b"\n" + lines[place + taken]
            taken += 1
        fields = fields_of(row, num_columns)
        if isinstance(fields, str):
            fields, taken = fields_of(lines[place], num_columns), 1  # go on with the very next line
        if lines[place].strip():
            yield number, fields
        place += taken


def fields_of(row: bytes, num_columns: int) -> list[str] | str:
    """The fields of a row, or in words why it is none."""
    if row.count(b'"') % 2:
        return "a quote is opened and never closed"
    try:
        fields = next(csv.reader([decoded(row)], strict=True), [])
    except csv.Error as error:
        return f"no CSV ({error})"
    if len(fields) != num_columns:
        return f"{len(fields)} fields where the header has {num_columns}"
    return fields


def decoded(line: bytes) -> str:
    """UTF-8, or else Windows-1252, the usual encoding of old spreadsheets."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def is_utf8(line: bytes) -> bool:
    """Whether a line needs no guess at its encoding."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def unique_names(columns: list[str]) -> list[str]:
    """Names for polars, which takes none twice: a second "note" becomes "note (2)"."""
    seen: Counter[str] = Counter()
    names = []
    for name in columns:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names

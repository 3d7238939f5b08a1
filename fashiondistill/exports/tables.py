"""Scores of designs, and other rows, as CSV that Excel, Numbers and pandas open.

In: `Passport`s. Out: bytes: UTF-8 with a byte order mark, for without it Excel reads accents as Latin-1 (pandas and
LibreOffice skip it); comma, CRLF and quotes as RFC 4180. Texts that a spreadsheet would run as a formula get an
apostrophe in front (OWASP, CSV injection): a prompt may come from a stranger's file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from fashiondistill.exports.palette import palette
from fashiondistill.exports.passport import Passport

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def scores_csv(passports: Sequence[Passport], *, names: Sequence[str] | None = None) -> bytes:
    """One row a design, in the order given.

    Args:
        names: file name of each design; `Passport.name` with .png if there is none.

    Raises:
        ValueError: without a design.
    """
    check_some(passports)
    names = list(names) if names is not None else [f"{one.name}.png" for one in passports]
    return rows_csv([_row(one, name) for one, name in zip(passports, names, strict=True)])


def rows_csv(rows: Sequence[dict[str, object]]) -> bytes:
    """One row or more, all with the same columns."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: safe_cell(value) if isinstance(value, str) else value for key, value in row.items()})
    return text.getvalue().encode("utf-8-sig")


def safe_cell(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def check_some(passports: Sequence[Passport]) -> None:
    """Raise ValueError for an empty export."""
    if not passports:
        raise ValueError("export: there is no design to export. Generate some, or choose a board that holds some.")


def _row(one: Passport, name: str) -> dict[str, object]:
    facts, swatches = one.describe(), palette(one.image)
    first = ("rank", "combined", "clip_i", "clip_t", "category", "week", "prompt", "seed", "candidate")
    return (
        {"file": name}
        | {key: facts[key] for key in first}
        | facts["settings"]
        | {
            "nearest_article_id": facts["nearest_article_id"],
            "references": " ".join(facts["references"]),
            "palette_hex": " ".join(swatch.hex for swatch in swatches),
            "palette_names": ", ".join(swatch.name for swatch in swatches),
            "model": facts["model"],
            "notes": facts["notes"],
        }
    )

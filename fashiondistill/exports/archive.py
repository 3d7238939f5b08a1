"""A board as one ZIP: every design as a passport PNG, the scores as CSV, all facts as JSON, the sketches as SVG.

In: `Passport`s and a title. Out: bytes; the same designs give the same file. Names in the archive are made from
category, week and seed, never from words that somebody wrote.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence

from fashiondistill.exports.palette import palette
from fashiondistill.exports.passport import Passport
from fashiondistill.exports.svg import sketch_svg
from fashiondistill.exports.tables import check_some, scores_csv

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can hold; the real one would make each file another
BOARD_VERSION = 1


def board_zip(passports: Sequence[Passport], *, title: str) -> bytes:
    """designs/*.png, sketches/*.svg (each sketch once), scores.csv and board.json, which says what belongs to what.

    Raises:
        ValueError: without a design.
    """
    check_some(passports)
    names = unique_names([one.name for one in passports])
    sketches: dict[bytes, str] = {}  # strokes -> file name
    files: list[tuple[str, bytes]] = []
    board = []
    for one, name in zip(passports, names, strict=True):
        strokes = one.request.sketch.tobytes()
        if strokes not in sketches:
            sketches[strokes] = f"sketches/sketch{len(sketches) + 1}.svg"
            files.append((sketches[strokes], sketch_svg(one.request.sketch, title=one.request.prompt).encode()))
        files.append((f"designs/{name}.png", one.png()))
        swatches = [{"hex": each.hex, "name": each.name, "share": round(each.share, 4)} for each in palette(one.image)]
        board.append({"file": f"designs/{name}.png", "sketch": sketches[strokes], "palette": swatches} | one.describe())
    facts = {"version": BOARD_VERSION, "title": title, "designs": board}
    files.append(("board.json", json.dumps(facts, indent=2).encode() + b"\n"))
    files.append(("scores.csv", scores_csv(passports, names=[f"designs/{name}.png" for name in names])))
    return _zip(files)


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, with -2, -3, ... where one comes again: a board may hold a design twice."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return result


def _zip(files: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16  # or some programs unpack files that nobody may read
            stored = name.endswith(".png")  # compressed already
            archive.writestr(entry, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()

"""Designs of the store: kept as they arrive, found again, noted on, deleted and restored.

In: `DesignRequest`s and `ScoredDesign`s. Out: `DesignRecord`s. Every call names its user and sees nobody else's.
"""

from __future__ import annotations

import dataclasses
import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from fashiondistill.config import GROUND
from fashiondistill.data.categories import get_category
from fashiondistill.data.measure import measure_colours
from fashiondistill.design import DesignRequest, ScoredDesign
from fashiondistill.export import png_bytes
from fashiondistill.store.database import Database
from fashiondistill.store.files import PictureFolder, StoreError
from fashiondistill.store.records import DesignRecord, Kind, Query, RequestRecord, design_of, new_id

FAR_FROM_GROUND = 12  # grey levels: what differs by less belongs to the ground
LEAST_GARMENT = 400  # pixels; fewer say nothing about colour
MAX_NOTE = 4000  # characters

_REQUEST = ", ".join(f"r.{name} AS r_{name}" for name in RequestRecord.__dataclass_fields__)
_SELECT = f"SELECT d.*, {_REQUEST} FROM designs d JOIN requests r ON r.id = d.request "


@dataclass(frozen=True)
class Origin:
    """Who asked, how, and from which design ("" = from none)."""

    user: str
    model: str
    kind: Kind = "draw"
    parent: str = ""


class Designs:
    """Requests and their candidates."""

    def __init__(self, database: Database, pictures: PictureFolder) -> None:
        self.database, self.pictures = database, pictures

    def begin(self, request: DesignRequest, origin: Origin) -> str:
        """Keep what was asked for, before anything is drawn; returns the request's id.

        Raises:
            StoreError: if it cannot be written.
        """
        files = write_inputs(self.pictures, request)
        values = files | {
            "id": new_id(),
            "user": origin.user,
            "created": time.time(),
            "kind": origin.kind,
            "parent": origin.parent,
            "status": "running",
            "category": request.category,
            "week": request.week,
            "prompt": request.prompt,
            "seed": request.seed,
            "settings": json.dumps(dataclasses.asdict(request.config)),
            "model": origin.model,
        }
        with self.database.transaction():
            self.pictures.require(name for name in files.values() if name)
            self._insert("requests", values)
        return values["id"]

    def add(self, request_id: str, scored: ScoredDesign, *, model: str) -> str:
        """Keep a candidate as it arrives; returns its id.

        Raises:
            StoreError: if it cannot be written.
        """
        picture = self.pictures.write(png_bytes(scored, model=model))
        request, colours = scored.design.request, colour_words(scored.design.image)
        values = {
            "id": new_id(),
            "request": request_id,
            "candidate": scored.design.index,
            "created": time.time(),
            "picture": picture,
            "rank": scored.rank,
            "clip_i": scored.clip_i,
            "clip_t": scored.clip_t,
            "combined": scored.combined,
            "nearest": scored.nearest_article_id,
            "colours": json.dumps(colours),
            "words": search_words(request.prompt, request.category, request.week, colours, ""),
        }
        with self.database.transaction():
            self.pictures.require([picture])
            self._insert("designs", values)
        return values["id"]

    def finish(self, request_id: str, ranked: Sequence[ScoredDesign], *, status: str, model: str) -> None:
        """Write the ranks, into the pictures too, and how the request ended."""
        files = [(one, self.pictures.write(png_bytes(one, model=model))) for one in ranked]
        with self.database.transaction():
            self.pictures.require(name for _, name in files)
            for scored, name in files:
                values = (scored.rank, name, request_id, scored.design.index)
                self.database.run(
                    "UPDATE designs SET rank = ?, picture = ? WHERE request = ? AND candidate = ?", values
                )
            self.database.run("UPDATE requests SET status = ? WHERE id = ?", (status, request_id))

    def find(self, user: str, query: Query) -> list[DesignRecord]:
        """Designs that meet a query: the latest request first, in it the best rank first."""
        where, values = _conditions(user, query)
        order = "ORDER BY r.created DESC, r.id, d.rank = 0, d.rank, d.candidate LIMIT ? OFFSET ?"
        rows = self.database.rows(f"{_SELECT} {where} {order}", [*values, query.limit, query.offset])
        return [self._record(row) for row in rows]

    def count(self, user: str, query: Query) -> int:
        """How many designs meet a query, whatever its limit."""
        where, values = _conditions(user, query)
        found = self.database.rows(
            f"SELECT count(*) FROM designs d JOIN requests r ON r.id = d.request {where}", values
        )
        return found[0][0]

    def get(self, user: str, design_id: str) -> DesignRecord:
        """One design of a user, deleted or not.

        Raises:
            StoreError: if the user has none of that id.
        """
        rows = self.database.rows(f"{_SELECT} WHERE r.user = ? AND d.id = ?", (user, design_id))
        if not rows:
            raise StoreError("design: there is none of that id among yours. Reload the page.")
        return self._record(rows[0])

    def twin(self, user: str, scored: ScoredDesign) -> DesignRecord | None:
        """The user's design with the same picture and the same words, week, seed and number; None if there is none."""
        one = scored.design.request
        values = (user, one.category, one.week, one.prompt, one.seed, scored.design.index)
        same = "r.category = ? AND r.week = ? AND r.prompt = ? AND r.seed = ? AND d.candidate = ?"
        rows = self.database.rows(f"{_SELECT} WHERE r.user = ? AND {same} AND d.deleted IS NULL", values)
        for record in map(self._record, rows):
            try:
                picture = read_picture(self.picture(record))
            except StoreError:  # a file that is damaged is no twin of one that is whole
                continue
            if np.array_equal(picture, scored.design.image):
                return record
        return None

    def siblings_of(self, request_id: str) -> list[DesignRecord]:
        """Candidates of a request in the order of arrival, deleted ones too."""
        rows = self.database.rows(f"{_SELECT} WHERE r.id = ? ORDER BY d.candidate", (request_id,))
        return [self._record(row) for row in rows]

    def weeks(self, user: str) -> list[str]:
        """Weeks that a user has designs of, latest first."""
        rows = self.database.rows(
            "SELECT DISTINCT r.week FROM requests r JOIN designs d ON d.request = r.id WHERE r.user = ? "
            "ORDER BY r.week DESC",
            (user,),
        )
        return [row[0] for row in rows]

    def note(self, user: str, design_id: str, text: str) -> None:
        """Write a note in the place of the one before.

        Raises:
            StoreError: if it is too long, or the user has no such design.
        """
        if len(text) > MAX_NOTE:
            raise StoreError(f"note: it has {len(text):,} characters. Give at most {MAX_NOTE:,}.")
        one = self.get(user, design_id)
        words = search_words(one.request.prompt, one.request.category, one.request.week, one.colours, text)
        with self.database.transaction():
            self.database.run("UPDATE designs SET note = ?, words = ? WHERE id = ?", (text, words, design_id))

    def delete(self, user: str, design_id: str) -> None:
        """Put a design away; `restore` brings it back as it was."""
        self._mark(user, design_id, time.time())

    def restore(self, user: str, design_id: str) -> None:
        """Bring back what was deleted."""
        self._mark(user, design_id, None)

    def picture(self, record: DesignRecord) -> bytes:
        """The PNG, with everything that made it inside."""
        return self.pictures.read(record.picture)

    def sketch(self, request: RequestRecord) -> np.ndarray:
        """float32 [512, 384], 1 = stroke, bit for bit what was drawn."""
        return read_sketch(self.pictures.read(request.sketch))

    def used_pictures(self) -> set[str]:
        """Names that any row holds."""
        rows = self.database.rows(
            "SELECT picture FROM designs UNION SELECT sketch FROM requests UNION SELECT image FROM requests "
            "UNION SELECT mask FROM requests UNION SELECT sketch FROM blind_tests UNION SELECT image FROM blind_tests "
            "UNION SELECT mask FROM blind_tests"
        )
        return {row[0] for row in rows if row[0]}

    def _record(self, row) -> DesignRecord:  # noqa: ANN001 - sqlite3.Row
        boards = self.database.rows(
            "SELECT b.name FROM boards b JOIN board_designs l ON l.board = b.id WHERE l.design = ? AND b.deleted IS "
            "NULL ORDER BY b.name",
            (row["id"],),
        )
        return design_of(row, tuple(board[0] for board in boards))

    def _mark(self, user: str, design_id: str, deleted: float | None) -> None:
        self.get(user, design_id)
        with self.database.transaction():
            self.database.run("UPDATE designs SET deleted = ? WHERE id = ?", (deleted, design_id))

    def _insert(self, table: str, values: dict[str, object]) -> None:
        marks = ", ".join("?" * len(values))
        self.database.run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))


def write_inputs(pictures: PictureFolder, request: DesignRequest) -> dict[str, str | None]:
    """Names of the request's sketch, image and mask, written to disk; None for what it lacks."""
    return {
        "sketch": pictures.write(sketch_png(request.sketch)),
        "image": None if request.image is None else pictures.write(_png(request.image)),
        "mask": None if request.mask is None else pictures.write(_png(_grey(request.mask))),
    }


def search_words(prompt: str, category: str, week: str, colours: Sequence[str], note: str) -> str:
    """The text that a search looks in."""
    return "\n".join([prompt, get_category(category).title, week, " ".join(colours), note]).casefold()


def colour_words(image: np.ndarray) -> list[str]:
    """Colour words of what stands on the flat ground, uint8 [H, W, 3]; none if there is next to nothing."""
    garment = np.abs(image.astype(np.int16) - GROUND).max(axis=2) > FAR_FROM_GROUND
    if garment.sum() < LEAST_GARMENT:
        return []
    return [one.word for one in measure_colours(image, garment.astype(np.uint8))]


def sketch_png(sketch: np.ndarray) -> bytes:
    """Dark strokes on white, as the canvas has them."""
    return _png(_grey(1 - sketch))


def read_sketch(data: bytes) -> np.ndarray:
    """The inverse of `sketch_png`."""
    return 1 - np.asarray(Image.open(io.BytesIO(data)).convert("L"), np.float32) / 255


def read_mask(data: bytes) -> np.ndarray:
    """float32 [512, 384], 1 = repaint."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"), np.float32) / 255


def read_picture(data: bytes) -> np.ndarray:
    """uint8 [512, 384, 3]."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _conditions(user: str, query: Query) -> tuple[str, list[object]]:
    parts, values = ["r.user = ?"], [user]
    parts.append("d.deleted IS NOT NULL" if query.show == "deleted" else "d.deleted IS NULL")
    if query.show == "favourites":
        parts.append("d.favourite IS NOT NULL")
    for column in ("category", "week", "kind"):
        if getattr(query, column):
            parts.append(f"r.{column} = ?")
            values.append(getattr(query, column))
    if query.board:
        parts.append(
            "d.id IN (SELECT l.design FROM board_designs l JOIN boards b ON b.id = l.board WHERE b.user = ? AND "
            "b.name = ? AND b.deleted IS NULL)"
        )
        values += [user, query.board]
    for word in query.text.casefold().split():
        parts.append("instr(d.words, ?) > 0")
        values.append(word)
    return f"WHERE {' AND '.join(parts)}", values


def _grey(values: np.ndarray) -> np.ndarray:
    return (values.astype(np.float32) * 255).round().astype(np.uint8)


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()

"""Picks: a favourite over the siblings that were visible beside it, which is what preference training learns from.

In: hearts on the page. Out: `Pick`s, from the store's own SQLite file or from an exported folder; `train.dpo` reads
either. A sibling that becomes a favourite too is no loser any more. What was picked while its user had opted out is
never given out, and nothing of a user who has opted out now.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fashiondistill.store.database import Database
from fashiondistill.store.files import PictureFolder, StoreError

LINES = "picks.jsonl"


@dataclass(frozen=True)
class PickedDesign:
    """One side of a pair: its id, its number within the request, its scores by name and its file."""

    id: str
    candidate: int
    scores: Mapping[str, float]
    file: Path


@dataclass(frozen=True)
class Pick:
    """A winner and its losers, all drawn from one request.

    Attributes:
        time: seconds since 1970.
        model: id of the model that drew them.
        settings: fields of `GenerateConfig`; candidate k was drawn with noise keyed by (seed, k).
        sketch, image, mask: files as the store keeps them; see `designs.read_sketch`.
    """

    time: float
    category: str
    week: str
    prompt: str
    seed: int
    model: str
    kind: str
    settings: Mapping[str, object]
    sketch: Path
    image: Path | None
    mask: Path | None
    winner: PickedDesign
    losers: tuple[PickedDesign, ...]


@dataclass(frozen=True)
class PickCounts:
    """Picks and pairs of a user that train the model, and picks that do not."""

    picks: int
    pairs: int
    left_out: int


class Picks:
    """Favourites and the preferences that they are."""

    def __init__(self, database: Database, pictures: PictureFolder) -> None:
        self.database, self.pictures = database, pictures

    def favourite(self, user: str, design_id: str, on: bool, visible: Iterable[str] | None = None) -> None:
        """Set or take away a favourite; with it the pick over the siblings that were visible.

        Args:
            user: whose design it is.
            design_id: the favourite.
            on: whether it is one.
            visible: ids beside it on the page; None = all of its request that are not deleted.

        Raises:
            StoreError: if the user has no such design.
        """
        with self.database.transaction():
            rows = self.database.rows(
                "SELECT d.request, d.favourite, u.training FROM designs d JOIN requests r ON r.id = d.request "
                "JOIN users u ON u.id = r.user WHERE d.id = ? AND r.user = ?",
                (design_id, user),
            )
            if not rows:
                raise StoreError("design: there is none of that id among yours. Reload the page.")
            if not on:
                self.database.run("DELETE FROM picks WHERE winner = ?", (design_id,))
                self.database.run("UPDATE designs SET favourite = NULL WHERE id = ?", (design_id,))
            elif rows[0]["favourite"] is None:
                now = time.time()
                self.database.run("UPDATE designs SET favourite = ? WHERE id = ?", (now, design_id))
                self.database.run("INSERT INTO picks VALUES (?, ?, ?)", (design_id, now, rows[0]["training"]))
                for loser in self._beside(rows[0]["request"], design_id, visible):
                    self.database.run("INSERT INTO pick_losers VALUES (?, ?)", (design_id, loser))

    def _beside(self, request_id: str, design_id: str, visible: Iterable[str] | None) -> list[str]:
        rows = self.database.rows(
            "SELECT id FROM designs WHERE request = ? AND id != ? AND deleted IS NULL AND favourite IS NULL",
            (request_id, design_id),
        )
        shown = None if visible is None else set(visible)
        return [row[0] for row in rows if shown is None or row[0] in shown]

    def training(self, user: str) -> bool:
        """Whether a user's picks may train the model."""
        rows = self.database.rows("SELECT training FROM users WHERE id = ?", (user,))
        return bool(rows[0][0]) if rows else True

    def set_training(self, user: str, on: bool) -> None:
        """Opt in or out. Out: nothing of the user is given out any more; in again: what was picked before is."""
        with self.database.transaction():
            self.database.run("UPDATE users SET training = ? WHERE id = ?", (int(on), user))

    def counts(self, user: str) -> PickCounts:
        """What the page tells a user."""
        found = self.read(user)
        total = self.database.rows(
            "SELECT count(*) FROM picks p JOIN designs d ON d.id = p.winner JOIN requests r ON r.id = d.request "
            "WHERE r.user = ?",
            (user,),
        )[0][0]
        return PickCounts(len(found), sum(len(pick.losers) for pick in found), total - len(found))

    def read(self, user: str | None = None) -> list[Pick]:
        """Picks that may train the model and have a loser left, oldest first; of all users if none is named."""
        rows = self.database.rows(
            "SELECT p.created AS picked, d.*, r.category, r.week, r.prompt, r.seed, r.model, r.kind, r.settings, "
            "r.sketch, r.image, r.mask FROM picks p JOIN designs d ON d.id = p.winner JOIN requests r ON "
            "r.id = d.request JOIN users u ON u.id = r.user WHERE p.training AND u.training AND "
            "d.favourite IS NOT NULL AND (? IS NULL OR r.user = ?) ORDER BY p.created, d.id",
            (user, user),
        )
        found = []
        for row in rows:
            losers = self.database.rows(
                "SELECT d.* FROM pick_losers l JOIN designs d ON d.id = l.design WHERE l.winner = ? AND "
                "d.favourite IS NULL ORDER BY d.candidate",
                (row["id"],),
            )
            if losers:
                found.append(self._pick(row, losers))
        return found

    def _pick(self, row, losers) -> Pick:  # noqa: ANN001 - sqlite3.Row
        plain = ("category", "week", "prompt", "seed", "model", "kind")
        files = {name: self.pictures.path(row[name]) if row[name] else None for name in ("sketch", "image", "mask")}
        return Pick(
            time=row["picked"],
            **{name: row[name] for name in plain},
            settings=json.loads(row["settings"]),
            **files,
            winner=self._side(row),
            losers=tuple(self._side(one) for one in losers),
        )

    def _side(self, row) -> PickedDesign:  # noqa: ANN001 - sqlite3.Row
        scores = {name: row[name] for name in ("clip_i", "clip_t", "combined")}
        return PickedDesign(row["id"], row["candidate"], scores, self.pictures.path(row["picture"]))


def export_picks(picks: Iterable[Pick], folder: Path) -> int:
    """Write FOLDER/picks.jsonl and the pictures beside it; returns the number of picks."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for pick in picks:
        line = {name: getattr(pick, name) for name in _PLAIN}
        line |= {name: _copy(getattr(pick, name), folder) for name in _FILES}
        line["winner"] = _side_line(pick.winner, folder)
        line["losers"] = [_side_line(one, folder) for one in pick.losers]
        lines.append(json.dumps(line) + "\n")
    (folder / LINES).write_text("".join(lines), encoding="utf-8")
    return len(lines)


_PLAIN = ("time", "category", "week", "prompt", "seed", "model", "kind", "settings")
_FILES = ("sketch", "image", "mask")


def read_picks(path: Path) -> list[Pick]:
    """Picks of a studio.sqlite, of a store's folder, of an exported folder or of its picks.jsonl.

    Raises:
        FileNotFoundError: naming --preferences, if there is nothing.
        ValueError: if it is none of these, damaged, or a picture is missing.
    """
    from fashiondistill.store.store import DATABASE, PICTURES  # they import this module

    if path.is_dir():
        path = path / (DATABASE if (path / DATABASE).is_file() else LINES)
    if not path.is_file():
        raise FileNotFoundError(
            f"--preferences {path} does not exist. Give the studio's {DATABASE} (in its --store_dir), or a folder of "
            "exported picks."
        )
    if path.suffix == ".jsonl":
        picks = _read_lines(path)
    else:
        database = Database(path, existing=True)
        try:
            picks = Picks(database, PictureFolder(path.parent / PICTURES)).read()
        finally:
            database.close()
    for pick in picks:
        for file in (pick.sketch, pick.image, pick.mask, pick.winner.file, *(one.file for one in pick.losers)):
            if file is not None and not file.is_file():
                raise FileNotFoundError(f"--preferences {path}: its picture {file} is missing. Copy the whole folder.")
    return picks


def _read_lines(path: Path) -> list[Pick]:
    found = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            line = json.loads(text)
            files = {name: path.parent / line[name] if line[name] else None for name in _FILES}
            sides = [_side_from(one, path.parent) for one in (line["winner"], *line["losers"])]
            plain = {name: line[name] for name in _PLAIN}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"--preferences {path}, line {number} is no pick ({error!r}). Export it again.") from error
        found.append(Pick(**plain, **files, winner=sides[0], losers=tuple(sides[1:])))
    return found


def _side_from(line: dict, folder: Path) -> PickedDesign:
    return PickedDesign(line["id"], line["candidate"], line["scores"], folder / line["file"])


def _side_line(side: PickedDesign, folder: Path) -> dict:
    return {
        "id": side.id,
        "candidate": side.candidate,
        "scores": dict(side.scores),
        "file": _copy(side.file, folder),
    }


def _copy(source: Path | None, folder: Path) -> str | None:
    if source is None:
        return None
    if not (folder / source.name).is_file():
        shutil.copyfile(source, folder / source.name)
    return source.name

"""What the store gives and is asked, as frozen dataclasses. Knows nothing of SQL."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["draw", "vary_subtle", "vary_strong", "live", "weeks", "opened"]
Show = Literal["all", "favourites", "deleted"]
ID_LENGTH = 32  # hexadecimal digits: 128 random bits, which nobody guesses


def new_id() -> str:
    """A random id: of a user, who has no other key to what is theirs, or of anything that is kept."""
    return secrets.token_hex(ID_LENGTH // 2)


def is_id(value: object) -> bool:
    """Whether a value has the form of an id; it may come from a browser."""
    return isinstance(value, str) and len(value) == ID_LENGTH and all(one in "0123456789abcdef" for one in value)


@dataclass(frozen=True)
class RequestRecord:
    """One press of Generate, or of a button that varies a design.

    Attributes:
        created: seconds since 1970.
        kind: what was pressed.
        parent: the design that was varied, or "".
        status: "running" until the last candidate, then "ranked" or "cancelled"; "running" stays where a process died.
        settings: fields of `GenerateConfig`, and strength for what was varied.
        sketch, image, mask: names of pictures; None = none.
    """

    id: str
    created: float
    kind: Kind
    parent: str
    status: str
    category: str
    week: str
    prompt: str
    seed: int
    settings: Mapping[str, object]
    model: str
    sketch: str
    image: str | None
    mask: str | None


@dataclass(frozen=True)
class DesignRecord:
    """A candidate that was kept.

    Attributes:
        candidate: from 0.
        rank: 1 = best; 0 = the request was never ranked.
        colours: colour words of the picture, by falling share.
        boards: names, in alphabetical order.
    """

    id: str
    request: RequestRecord
    candidate: int
    picture: str
    rank: int
    clip_i: float
    clip_t: float
    combined: float
    nearest_article_id: str
    colours: tuple[str, ...]
    favourite: bool
    note: str
    deleted: bool
    boards: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """Which designs to show; every condition must hold.

    Attributes:
        text: each word of it must stand somewhere in prompt, category, week, colours or note; case does not matter.
        category, week, board, kind: "" = any.
        show: "all" and "favourites" leave out what is deleted.
    """

    text: str = ""
    category: str = ""
    week: str = ""
    board: str = ""
    show: Show = "all"
    limit: int = 24
    offset: int = 0
    kind: Kind | Literal[""] = ""


def request_of(row: sqlite3.Row) -> RequestRecord:
    """From a row with the columns of `requests`, prefixed r_."""
    names = [name for name in RequestRecord.__dataclass_fields__ if name != "settings"]
    return RequestRecord(**{name: row[f"r_{name}"] for name in names}, settings=json.loads(row["r_settings"]))


def design_of(row: sqlite3.Row, boards: tuple[str, ...]) -> DesignRecord:
    """From a row of designs joined with its request."""
    plain = ("id", "candidate", "picture", "rank", "clip_i", "clip_t", "combined", "note")
    return DesignRecord(
        **{name: row[name] for name in plain},
        request=request_of(row),
        nearest_article_id=row["nearest"],
        colours=tuple(json.loads(row["colours"])),
        favourite=row["favourite"] is not None,
        deleted=row["deleted"] is not None,
        boards=boards,
    )

"""Blind judgements of models: which of two drew the same request better, and the win rate of each pair.

In: judgements as they are made. Out: `PairResult`s. A model is known by its id, the digest of its weights; its name is
only what its folder was called. Knows nothing of models or pages.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from fashiondistill.design import DesignRequest
from fashiondistill.store.agreement import wilson
from fashiondistill.store.database import Database
from fashiondistill.store.designs import write_inputs
from fashiondistill.store.files import PictureFolder, StoreError

Choice = Literal["left", "right", "none"]


@dataclass(frozen=True)
class JudgedModel:
    """One side: the digest of its weights, and what its folder was called."""

    id: str
    name: str


@dataclass(frozen=True, eq=False)
class Judgement:
    """Two models that drew one request, and the better side; "none" = no difference."""

    id: str
    request: DesignRequest
    left: JudgedModel
    right: JudgedModel
    choice: Choice


@dataclass(frozen=True)
class PairResult:
    """All judgements of two models.

    Attributes:
        wins, losses, ties: judgements for `first`, for `second` and for neither.
    """

    first: JudgedModel
    second: JudgedModel
    wins: int
    losses: int
    ties: int

    @property
    def count(self) -> int:
        """Judgements, 1 or more."""
        return self.wins + self.losses + self.ties

    @property
    def rate(self) -> float:
        """Win rate of `first`, 0 to 1; no difference counts as half a win."""
        return (self.wins + self.ties / 2) / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `rate`: Wilson's, which halves make rather too wide than too narrow."""
        return wilson(self.rate, self.count)

    def swapped(self) -> PairResult:
        """The same from the other side."""
        return PairResult(self.second, self.first, self.losses, self.wins, self.ties)


class BlindTests:
    """Judgements of all users; every call names its user, or asks for the counts of all."""

    def __init__(self, database: Database, pictures: PictureFolder) -> None:
        self.database, self.pictures = database, pictures

    def judge(self, user: str, judgement: Judgement) -> None:
        """Keep a judgement; the same id again changes its choice.

        Raises:
            StoreError: for an unknown choice, one model on both sides, or an id that is another user's.
        """
        if judgement.choice not in get_args(Choice):
            raise StoreError(f"judgement: {judgement.choice!r} is unknown. Choose {', '.join(get_args(Choice))}.")
        if judgement.left.id == judgement.right.id:
            raise StoreError(f"judgement: both sides are the model {judgement.left.id}. Compare two models.")
        request = judgement.request
        files = write_inputs(self.pictures, request)
        values = files | {
            "id": judgement.id,
            "user": user,
            "created": time.time(),
            "choice": judgement.choice,
            "category": request.category,
            "week": request.week,
            "prompt": request.prompt,
            "seed": request.seed,
            "settings": json.dumps(dataclasses.asdict(request.config)),
            "left_model": judgement.left.id,
            "left_name": judgement.left.name,
            "right_model": judgement.right.id,
            "right_name": judgement.right.name,
        }
        with self.database.transaction():
            self.pictures.require(name for name in files.values() if name)
            changed = self.database.run(
                f"INSERT INTO blind_tests ({', '.join(values)}) VALUES ({', '.join('?' * len(values))}) ON CONFLICT "
                "(id) DO UPDATE SET choice = excluded.choice, created = excluded.created WHERE user = excluded.user",
                list(values.values()),
            )
            if not changed:
                raise StoreError("judgement: it is not yours. Reload the page.")

    def pairs(self, user: str | None = None, *, without: str = "") -> list[PairResult]:
        """Results of each pair, most judged first; of all users if none is named.

        Args:
            user: whose judgements.
            without: id of a judgement to leave out, because its names are still hidden.
        """
        rows = self.database.rows(
            "SELECT * FROM blind_tests WHERE (? IS NULL OR user = ?) AND id != ? ORDER BY created",
            (user, user, without),
        )
        names, found = {}, {}
        for row in rows:  # the latest name of a model stands
            names |= {row["left_model"]: row["left_name"], row["right_model"]: row["right_name"]}
            pair = tuple(sorted((row["left_model"], row["right_model"])))
            winner = {"left": row["left_model"], "right": row["right_model"], "none": ""}[row["choice"]]
            found.setdefault(pair, []).append(winner)
        models = {one: JudgedModel(one, name) for one, name in names.items()}
        results = [_result(models[a], models[b], winners) for (a, b), winners in found.items()]
        return sorted(results, key=lambda one: (-one.count, one.first.id, one.second.id))


def _result(first: JudgedModel, second: JudgedModel, winners: Iterable[str]) -> PairResult:
    counted = list(winners)
    return PairResult(first, second, counted.count(first.id), counted.count(second.id), counted.count(""))

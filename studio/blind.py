"""The blind test: two models draw one request, a visitor judges, names come after.

In: a `DesignEngine` with `compared` models, a store, and what the page gave. Out: frozen `BlindRound`s, pairs and a
CSV file. Nothing that is shown before the reveal depends on which model stands where: sides and the order of drawing
are random and apart from each other, both models are loaded before either draws, and both sides are shown at once.
Knows nothing of gradio or HTML.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from fashiondistill.design import Design, DesignRequest
from fashiondistill.exports.tables import rows_csv
from fashiondistill.store import Store, StoreError, new_id
from fashiondistill.store.blind import Choice, JudgedModel, Judgement, PairResult
from studio import blindtexts, errortexts
from studio.engine import DesignEngine
from studio.exporting import File
from studio.state import Stop, StudioError
from studio.turns import LineFull, Turn, Waiting


@dataclass(frozen=True, eq=False)
class BlindRound:
    """A pair that was drawn.

    Attributes:
        left, right: the models; not to be shown before `revealed`.
        left_pictures, right_pictures: uint8 [512, 384, 3], candidate k of both drawn from the same noise.
        choice: "" until judged.
    """

    id: str
    request: DesignRequest
    left: JudgedModel
    right: JudgedModel
    left_pictures: tuple[np.ndarray, ...]
    right_pictures: tuple[np.ndarray, ...]
    choice: Choice | str = ""
    revealed: bool = False


@dataclass(frozen=True, eq=False)
class BlindProgress:
    """Share of all steps that are done, 0 to 1; `drawn` at the end, but not after a stop.

    Attributes:
        waiting: where the pair stands while other requests are drawn; None once its turn has come.
    """

    fraction: float
    drawn: BlindRound | None = None
    stopped: bool = False
    waiting: Waiting | None = None


class BlindTest:
    """Draws, keeps and counts; `rng` chooses pairs and sides."""

    def __init__(self, engine: DesignEngine, store: Store, *, rng: random.Random | None = None) -> None:
        self.engine, self.store, self.rng = engine, store, rng or random.SystemRandom()

    def draw(self, request: DesignRequest, stop: Stop | None = None) -> Iterator[BlindProgress]:
        """A request that has been checked, drawn by two models in the pair's turn among all requests.

        Closing the iterator leaves the line, or frees the device within a step.

        Raises:
            StudioError: when too many requests wait, or a model cannot be loaded or cannot go on.
        """
        total = 2 * request.config.num_candidates * request.config.num_inference_steps
        try:
            with self.engine.turns.take(total) as turn:
                for waiting in turn.until_come():
                    stopped = stop is not None and stop.asked
                    yield BlindProgress(0.0, stopped=stopped, waiting=None if stopped else waiting)
                    if stopped:
                        return
                yield from self._drawn(request, turn, stop)
        except LineFull as error:
            raise StudioError(errortexts.line_full(self.engine.turns.most, blindtexts.DRAW)) from error

    def _drawn(self, request: DesignRequest, turn: Turn, stop: Stop | None) -> Iterator[BlindProgress]:
        """`draw`, once its turn has come. Its pace is told to nobody: other models take other time for a step."""
        left, right = self.rng.sample(self.engine.compared, 2)
        order = self.rng.sample([left, right], 2)
        pictures: dict[str, list[np.ndarray]] = {}
        done = 0
        yield BlindProgress(0.0)
        try:
            with self.engine.turn():
                ids = {one.name: one.load() for one in order}
                turn.begin()
                for one in order:
                    drawn = pictures.setdefault(one.name, [])
                    with closing(one.draw(request)) as events:
                        for event in events:
                            if isinstance(event, Design):
                                drawn.append(event.image)
                                continue
                            done += event.count
                            turn.done(done, turn.num_steps)
                            stopped = stop is not None and stop.asked
                            yield BlindProgress(done / turn.num_steps, stopped=stopped)
                            if stopped:
                                return
        except (ValueError, FileNotFoundError, MemoryError) as error:
            raise StudioError(errortexts.capital(str(error))) from error
        sides = [JudgedModel(ids[one.name], one.name) for one in (left, right)]
        shown = [tuple(pictures[one.name]) for one in (left, right)]
        yield BlindProgress(1.0, BlindRound(new_id(), request, *sides, *shown))

    def judge(self, user: str, drawn: BlindRound | None, choice: Choice) -> BlindRound:
        """Keep the visitor's choice; until the reveal another one takes its place.

        Raises:
            StudioError: if nothing is drawn, the names are known already, or the store refuses.
        """
        if drawn is None:
            raise StudioError(blindtexts.NOTHING_DRAWN)
        if drawn.revealed:
            raise StudioError(blindtexts.ALREADY_REVEALED)
        try:
            self.store.blind.judge(user, Judgement(drawn.id, drawn.request, drawn.left, drawn.right, choice))
        except StoreError as error:
            raise StudioError(errortexts.capital(str(error))) from error
        return replace(drawn, choice=choice)

    def reveal(self, drawn: BlindRound | None) -> BlindRound:
        """The round with its names free to be shown.

        Raises:
            StudioError: if nothing is drawn or judged.
        """
        if drawn is None:
            raise StudioError(blindtexts.NOTHING_DRAWN)
        if not drawn.choice:
            raise StudioError(blindtexts.NOT_CHOSEN)
        return replace(drawn, revealed=True)

    def pairs(self, user: str | None, drawn: BlindRound | None = None) -> list[PairResult]:
        """Results, of the visitor or (None) of all, each as a win rate of the model that was given later.

        Args:
            user: whose judgements.
            drawn: the round on the page; while its names are hidden the figures leave it out, or they would tell.
        """
        without = drawn.id if drawn is not None and not drawn.revealed else ""
        try:
            found = self.store.blind.pairs(user, without=without)
        except StoreError as error:
            raise StudioError(errortexts.capital(str(error))) from error
        places = {one.name: place for place, one in enumerate(self.engine.compared)}

        def place(one: JudgedModel) -> tuple[int, str, str]:
            return places.get(one.name, -1), one.name, one.id

        return [one.swapped() if place(one.first) < place(one.second) else one for one in found]

    def export(self, user: str, drawn: BlindRound | None = None) -> File:
        """The results as CSV, a row for each pair and for whose judgements they are.

        Raises:
            StudioError: without any.
        """
        rows = [
            *_rows("you", self.pairs(user, drawn)),
            *_rows("all", self.pairs(None, drawn)),
        ]
        if not rows:
            raise StudioError(blindtexts.NOTHING_TO_EXPORT)
        return File(blindtexts.EXPORT_NAME, rows_csv(rows))


def _rows(judges: str, found: Sequence[PairResult]) -> list[dict[str, object]]:
    return [
        {
            "judges": judges,
            "model": one.first.name,
            "model_id": one.first.id,
            "other_model": one.second.name,
            "other_model_id": one.second.id,
            "judged": one.count,
            "wins": one.wins,
            "losses": one.losses,
            "no_difference": one.ties,
            "win_rate": round(one.rate, 6),
            "low_95": round(one.interval[0], 6),
            "high_95": round(one.interval[1], 6),
        }
        for one in found
    ]

"""What the page keeps and brings back: the service between panels and the store.

In: a user's key, as the browser keeps it, and plain values. Out: dataclasses and pictures' bytes. Whatever the store
refuses becomes a `StudioError`. Knows nothing of gradio or HTML.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

from fashiondistill.config import GenerateConfig
from fashiondistill.data.weeks import Week
from fashiondistill.design import DesignRequest
from fashiondistill.store import DesignRecord, Query, Store, StoreError, export_picks, new_id
from fashiondistill.store.agreement import agreement
from fashiondistill.store.designs import Origin, read_mask, read_picture
from fashiondistill.store.records import is_id
from studio import boardtexts, callbacks, errortexts
from studio.canvas import PREFIX, encode_canvas
from studio.engine import DesignEngine
from studio.state import ResultsView, StudioError

SUBTLE, STRONG = 0.5, 0.8  # share of the steps that a variation takes; see docs/LOG.md
NUM_WEEKS = 6  # of a strip; a week takes as long as a candidate


@dataclass(frozen=True)
class Kept:
    """What of a request is in the store.

    Attributes:
        ids: candidate (from 0) -> design.
        favourites: those of them that are.
        problem: why the rest could not be kept, or "".
    """

    ids: tuple[tuple[int, str], ...] = ()
    favourites: frozenset[str] = frozenset()
    problem: str = ""


NOTHING_KEPT = Kept()


@dataclass(frozen=True)
class Reopened:
    """What goes back onto the page; a week that is not in these sales is "".

    Attributes:
        suggestion: the prompt that the page suggests for category and week.
        canvas, mask, base: the drawing, where to repaint and what; PNG data URLs, "" for none.
    """

    category: str
    week: str
    prompt: str
    suggestion: str
    canvas: str
    mask: str
    base: str
    seed: int
    config: GenerateConfig
    words: str


class Library:
    """Designs of all visitors; every call names its user."""

    def __init__(self, engine: DesignEngine, store: Store) -> None:
        self.engine, self.store = engine, store

    def known(self, user: object) -> str:
        """The user's key; a new one for who has none, or one that no browser of ours wrote."""
        key = user if is_id(user) else new_id()
        with said():
            self.store.welcome(key)
        return key

    def recorded(
        self, views: Iterable[ResultsView], user: str, *, kind: str = "draw", parent: str = ""
    ) -> Iterator[tuple[ResultsView, Kept]]:
        """Keep each candidate as it arrives, and the ranks at the end; what cannot be kept is shown all the same."""
        kept, request_id, ended = Kept(), "", False
        origin = Origin(user, self.engine.model_id, kind, parent)
        try:
            for view in views:
                try:
                    if not request_id and not kept.problem:
                        request_id = self.store.designs.begin(view.request, origin)
                    if view.fresh and not kept.problem:
                        kept = self._keep(view, request_id, kept)
                        ended = view.phase in ("ranked", "cancelled")
                except StoreError as error:
                    kept = replace(kept, problem=errortexts.capital(str(error)))
                yield view, kept
        finally:
            if request_id and not ended and not kept.problem:  # the page went away, or the model broke
                self.store.designs.finish(request_id, (), status="cancelled", model=origin.model)

    def _keep(self, view: ResultsView, request_id: str, kept: Kept) -> Kept:
        designs, ids = self.store.designs, dict(kept.ids)
        for one in sorted(view.designs, key=lambda scored: scored.design.index):
            if one.design.index not in ids:
                ids[one.design.index] = designs.add(request_id, one, model=self.engine.model_id)
        if view.phase in ("ranked", "cancelled"):
            ranked = view.designs if view.phase == "ranked" else ()
            designs.finish(request_id, ranked, status=view.phase, model=self.engine.model_id)
        siblings = designs.siblings_of(request_id)
        return Kept(tuple(ids.items()), frozenset(one.id for one in siblings if one.favourite))

    def favourite(self, user: str, given: dict) -> None:
        """Set or take away a heart, from what the page says of it.

        Raises:
            StudioError: if the design is not the user's, or the page's words make no sense.
        """
        shown = given.get("shown")
        visible = [str(one) for one in shown] if isinstance(shown, list) else None
        with said():
            self.store.picks.favourite(user, str(given.get("design")), given.get("on") is True, visible)

    def picks_words(self, user: str) -> str:
        """What the visitor's picks are used for."""
        with said():
            counts, training = self.store.picks.counts(user), self.store.picks.training(user)
            agreed = agreement(self.store.picks.read(user))
        words = boardtexts.picks(counts.picks, counts.pairs, counts.left_out, training)
        if agreed is None:
            return words
        return f"{words} {boardtexts.agreement(agreed.rate, agreed.low, agreed.high)}"

    def training(self, user: str) -> bool:
        """Whether the visitor's picks may train the model."""
        with said():
            return self.store.picks.training(user)

    def set_training(self, user: str, on: bool) -> None:
        """Opt in or out."""
        with said():
            self.store.picks.set_training(user, on is True)

    def filters(self, user: str) -> tuple[list[str], list[str]]:
        """Weeks and boards that the visitor has designs of."""
        with said():
            return self.store.designs.weeks(user), self.store.boards.names(user)

    def find(self, user: str, query: Query) -> tuple[list[DesignRecord], int]:
        """Designs of a query and how many there are in all."""
        with said():
            return self.store.designs.find(user, query), self.store.designs.count(user, query)

    def get(self, user: str, design_id: object) -> DesignRecord:
        """One design.

        Raises:
            StudioError: if none is chosen, or it is not the user's.
        """
        if not design_id:
            raise StudioError(boardtexts.NO_CHOICE)
        with said():
            return self.store.designs.get(user, str(design_id))

    def png(self, record: DesignRecord) -> bytes:
        """The picture as it was saved.

        Raises:
            StudioError: if its file is missing or damaged.
        """
        with said():
            return self.store.designs.picture(record)

    def note(self, user: str, design_id: str, text: str) -> None:
        """Write the note of a design."""
        self.get(user, design_id)
        with said():
            self.store.designs.note(user, design_id, text)

    def assign(self, user: str, design_id: str, names: list[str]) -> list[str]:
        """Put a design on these boards; returns all the user's boards."""
        self.get(user, design_id)
        with said():
            self.store.boards.assign(user, design_id, names)
            return self.store.boards.names(user)

    def set_deleted(self, user: str, design_id: str, deleted: bool) -> None:
        """Delete a design, or bring it back."""
        self.get(user, design_id)
        with said():
            (self.store.designs.delete if deleted else self.store.designs.restore)(user, design_id)

    def reopen(self, user: str, design_id: str) -> Reopened:
        """What made a design, for the page."""
        record = self.get(user, design_id)
        request, known = record.request, Week.parse(record.request.week) in self.engine.weeks
        with said():
            sketch = self.store.designs.sketch(request)
            mask, base = (self._png_url(name) for name in (request.mask, request.image))
        suggestion = callbacks.page_context(self.engine, request.category, request.week).suggestion if known else ""
        drawn = {"opened": boardtexts.OPENED_FILE} | dict.fromkeys(("draw", "live", "weeks"), boardtexts.OPENED)
        words = drawn.get(request.kind, boardtexts.OPENED_VARIATION)
        return Reopened(
            request.category,
            request.week if known else "",
            request.prompt,
            suggestion,
            encode_canvas(sketch),
            mask,
            base,
            request.seed,
            config_of(record),
            words if known else f"{words} {boardtexts.OTHER_WEEK}",
        )

    def _png_url(self, name: str | None) -> str:
        return PREFIX + base64.b64encode(self.store.pictures.read(name)).decode("ascii") if name else ""

    def variation(self, user: str, design_id: str, *, strength: float) -> DesignRequest:
        """A request that starts at the design's own picture, with other noise."""
        record = self.get(user, design_id)
        picture = read_picture(self.png(record))
        return replace(self._request(record), seed=callbacks.pick_seed(), start=picture, strength=strength)

    def across_weeks(self, user: str, design_id: str) -> list[DesignRequest]:
        """The design's sketch and seed for `NUM_WEEKS` weeks from the first to the last, each with its own suggestion.

        The words change with the week because nothing else does: the same words would draw the same picture.
        """
        record = self.get(user, design_id)
        one = self._request(record)
        sold = [week.key for week in self.engine.weeks if self.engine.bestsellers(one.category, week.key)]
        count = min(NUM_WEEKS, len(sold))
        places = [round(place * (len(sold) - 1) / max(1, count - 1)) for place in range(count)]
        config = replace(one.config, num_candidates=1)
        found = []
        for week in (sold[place] for place in places):
            words = self.engine.trend_prompt(one.category, week).text
            found.append(replace(one, week=week, prompt=words, config=config))
        return found

    def _request(self, record: DesignRecord) -> DesignRequest:
        request, store = record.request, self.store
        with said():
            image = None if request.image is None else read_picture(store.pictures.read(request.image))
            mask = None if request.mask is None else read_mask(store.pictures.read(request.mask))
            sketch = store.designs.sketch(request)
        return DesignRequest(
            request.category, request.week, request.prompt, sketch, image, mask, request.seed, config_of(record)
        )

    def export(self, user: str) -> Path:
        """The user's picks as a ZIP file of picks.jsonl and pictures.

        Raises:
            StudioError: if there are none.
        """
        with said():
            picks = self.store.picks.read(user)
        if not picks:
            raise StudioError(boardtexts.NO_PICKS)
        folder = Path(tempfile.mkdtemp())
        export_picks(picks, folder / "picks")
        path = folder / "picks.zip"
        with zipfile.ZipFile(path, "w") as archive:  # PNG files do not shrink any more
            for file in sorted((folder / "picks").iterdir()):
                archive.write(file, f"picks/{file.name}")
        shutil.rmtree(folder / "picks")
        return path


def config_of(record: DesignRecord) -> GenerateConfig:
    """The settings that a design was drawn with."""
    names = {entry.name for entry in fields(GenerateConfig)}
    return GenerateConfig(**{name: value for name, value in record.request.settings.items() if name in names})


@contextmanager
def said() -> Iterator[None]:
    """What the store refuses, as the page says it."""
    try:
        yield
    except StoreError as error:
        raise StudioError(errortexts.capital(str(error))) from error

"""Designs that are kept one by one: frames of Live, and designs that come back from a file.

In: the library, a user's key, and a design. Out: what the store holds of it. A single design was preferred over
nothing, so a heart on it is a favourite and no pick that trains. Knows nothing of gradio or HTML.
"""

from __future__ import annotations

from dataclasses import dataclass

from fashiondistill.design import ScoredDesign
from fashiondistill.exports.passport import Passport, read_passport
from fashiondistill.store import Query
from fashiondistill.store.designs import Origin
from studio.library import Kept, Library, said
from studio.state import StudioError

MAX_FRAMES = 8  # beside the canvas; the Board has them all. A card with its PNG is a fifth of a megabyte of page


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame of Live that was kept: the design, its id in the store, and what else its card shows."""

    scored: ScoredDesign
    id: str
    model: str
    favourite: bool


def keep_frame(library: Library, user: str, frame: ScoredDesign) -> None:
    """Keep a frame of Live as a request of one candidate.

    Raises:
        StudioError: if it cannot be written.
    """
    _keep(library, frame, Origin(user, library.engine.model_id, "live"))


def frames(library: Library, user: str) -> tuple[Frame, ...]:
    """The latest frames that the user kept and did not delete, newest first.

    One whose picture is damaged is left out: the Board says what is wrong with it.
    """
    found = []
    for record in library.find(user, Query(kind="live", limit=MAX_FRAMES))[0]:
        try:
            scored = read_passport(library.png(record)).scored
        except (StudioError, ValueError):
            continue
        found.append(Frame(scored, record.id, record.request.model, record.favourite))
    return tuple(found)


def keep_opened(library: Library, user: str, passport: Passport) -> Kept:
    """Keep a design that was opened from a file, unless the user has it already, by its picture and what made it.

    Raises:
        StudioError: if it cannot be written.
    """
    with said():
        twin = library.store.designs.twin(user, passport.scored)
    if twin is not None:
        return Kept(((twin.candidate, twin.id),), frozenset([twin.id] if twin.favourite else []))
    design = _keep(library, passport.scored, Origin(user, passport.model, "opened"))
    if passport.notes:
        library.note(user, design, passport.notes)
    return Kept(((passport.scored.design.index, design),))


def _keep(library: Library, scored: ScoredDesign, origin: Origin) -> str:
    """Its rank stays what it is: nothing is ranked here."""
    designs = library.store.designs
    with said():
        request_id = designs.begin(scored.design.request, origin)
        design = designs.add(request_id, scored, model=origin.model)
        designs.finish(request_id, (), status="ranked", model=origin.model)
    return design

"""The lowest line of a candidate's card: compare it, vary it, reuse its seed.

In: a design and its id in the store. Out: HTML, escaped, that static/cards.js listens to; checked values. The looks are
in static/cards.css. Knows nothing of gradio.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from fashiondistill.design import ScoredDesign
from studio import boardcards, cardtexts, texts
from studio.library import STRONG, SUBTLE, Kept, Library
from studio.singles import Frame
from studio.state import ResultsView, StudioError

MOST_SEED = 2**32 - 1  # of DesignRequest
STRENGTHS = {"vary_subtle": SUBTLE, "vary_strong": STRONG}  # kind in the store -> share of the steps that are redone
_AGAIN = "M4.5 12a7.5 7.5 0 1 0 2.4-5.5M4.5 4v4h4"
_DOWN = "M7 10l5 5 5-5"


@dataclass(frozen=True)
class Handles:
    """What a card is taken up by: HTML of its heart, and of its lowest line."""

    heart: str
    tools: str


def card_handles(scored: ScoredDesign, kept: Kept, view: ResultsView) -> Handles:
    """Those of a candidate."""
    seed, index = scored.design.request.seed, scored.design.index
    design_id, name = dict(kept.ids).get(index, ""), texts.candidate(index + 1)
    tools = tools_html(seed, design_id, name, key=f"{seed}-{index + 1}", busy=view.phase == "running")
    return Handles(boardcards.card_heart(scored, kept), tools)


def kept_handles(frame: Frame, number: int) -> Handles:
    """Those of the frame of Live that is shown as number `number`, from 1."""
    request, name = frame.scored.design.request, f"{texts.KEPT_TITLE}, {number}"
    heart = boardcards.heart_html(frame.id, frame.favourite, f"{texts.KEPT_TITLE}, {request.prompt}")
    return Handles(heart, tools_html(request.seed, frame.id, name, key=f"kept-{number}", busy=False))


def tools_html(seed: int, design_id: str, name: str, *, key: str, busy: bool) -> str:
    """The line; a design that is not in the store, id "", has its seed only.

    Args:
        seed: of the request.
        design_id: in the store.
        name: how screen readers tell this card from the others.
        key: part of an id that no other card of the page has.
        busy: whether the model is drawing: nothing can be varied meanwhile.
    """
    shown = cardtexts.seed_shown(seed)
    reuse = (
        f'<button type="button" class="fd-seed" data-seed="{seed}" title="{escape(cardtexts.REUSE_SEED)}" '
        f'aria-label="{escape(shown)}, {escape(name)}: {escape(cardtexts.REUSE_SEED)}">{escape(shown)}{_icon(_AGAIN)}'
        "</button>"
    )
    if not design_id:
        return f'<div class="fd-tools">{reuse}</div>'
    design = escape(design_id)
    compare = (
        f'<label class="fd-mark"><input type="checkbox" data-design="{design}" '
        f'aria-label="{escape(cardtexts.COMPARE)} {escape(name)}">{escape(cardtexts.COMPARE)}</label>'
    )
    choices = "".join(
        f'<button type="button" data-vary="{kind}" data-design="{design}" aria-label="{escape(cardtexts.VARY)} '
        f'{escape(name)}: {escape(words)}">{escape(words)}</button>'
        for kind, words in zip(STRENGTHS, (cardtexts.SUBTLY, cardtexts.STRONGLY), strict=True)
    )
    menu = f"fd-vary-{escape(key)}"
    vary = (
        f'<button type="button" class="fd-vary" popovertarget="{menu}" aria-label="{escape(cardtexts.VARY)} '
        f'{escape(name)}"{" disabled" if busy else ""}>{escape(cardtexts.VARY)}{_icon(_DOWN)}</button>'
        f'<div id="{menu}" class="fd-menu" popover>{choices}</div>'
    )
    return f'<div class="fd-tools">{compare}{vary}{reuse}</div>'


def _icon(path: str) -> str:
    return f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{path}"/></svg>'


def comparison_html(library: Library, user: str, given: object, *, closes: bool = False) -> str:
    """Two of the user's designs beside each other; "" for fewer. `given` comes from the page: ids, not to be trusted.

    Raises:
        StudioError: for a design that is not the user's, or whose picture cannot be read.
    """
    if not isinstance(given, list) or len(given) != 2:
        return ""
    return boardcards.compare_html(library, [library.get(user, one) for one in given], closes=closes)


def checked_seed(seed: object) -> int:
    """The seed that a card holds, which comes back from the page.

    Raises:
        StudioError: for what no request could have.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MOST_SEED:
        raise StudioError(cardtexts.no_such_seed(seed, MOST_SEED))
    return seed


def checked_change(how: object) -> str:
    """A key of `STRENGTHS`, which comes back from the page.

    Raises:
        StudioError: for any other.
    """
    if how not in list(STRENGTHS):
        raise StudioError(cardtexts.no_such_change(how))
    return str(how)

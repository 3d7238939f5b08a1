"""What a candidate's card offers on the Design tab: compare it with another, vary it, use its seed again."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from studio import cards, cardtexts, cardtools
from studio.components import BoardExtra
from studio.library import Library
from studio.panels.events import quiet
from studio.panels.parts import LiveParts, ResultParts, Visit
from studio.panels.remix import stream_variation
from studio.panels.results import Asked, result_outputs
from studio.state import Stop, StudioError
from studio.trendboard import OwnDesigns


def comparison_row() -> gr.HTML:
    """Where two candidates stand beside each other: below the cards, which stay where they are."""
    return BoardExtra(elem_id="comparison")


def bind_cards(library: Library, results: ResultParts, live: LiveParts, comparison: gr.HTML, visit: Visit) -> None:
    """For the candidates and for the frames that were kept from Live."""

    def compare_candidates(user: str, event: gr.EventData) -> tuple:
        try:
            return cardtools.comparison_html(library, user, given(event).get("designs"), closes=True), gr.skip()
        except StudioError as error:
            return gr.skip(), cards.message_html(str(error))

    def vary_candidate(user: str, stop: Stop, own: OwnDesigns, event: gr.EventData) -> Iterator[tuple]:
        stop.asked = False
        design, how = given(event).get("design"), given(event).get("how")
        try:
            kind = cardtools.checked_change(how)
            request = library.variation(user, design, strength=cardtools.STRENGTHS[kind])
        except StudioError as error:
            yield cards.message_html(str(error)), *[gr.skip()] * (len(result_outputs(results, visit)) - 1)
            return
        yield from stream_variation(library, request, Asked(user, request.seed, own, kind, str(design)), stop)

    def keep_seed(event: gr.EventData) -> tuple:
        try:
            seed = cardtools.checked_seed(given(event).get("seed"))
        except StudioError as error:
            return gr.skip(), gr.skip(), cards.message_html(str(error))
        return seed, True, cards.message_html(cardtexts.seed_kept(seed), phase="idle")

    for part in (results.results, live.kept):
        part.compare(compare_candidates, visit.user, [comparison, results.status], **quiet())
        part.reuse(keep_seed, None, [results.seed, results.lock_seed, results.status], **quiet())
        part.vary(
            vary_candidate,
            [visit.user, visit.stop, visit.own],
            result_outputs(results, visit),
            show_progress="hidden",
            concurrency_limit=None,  # they wait in `turns`
            trigger_mode="once",
            api_visibility="private",
        )


def given(event: gr.EventData) -> dict:
    """An event's data, which come from the page and are not to be trusted."""
    return event._data if isinstance(event._data, dict) else {}

"""Blind test tab: a pair of unnamed models, the visitor's judgement, the reveal and the results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from fashiondistill.config import BLIND_CANDIDATES
from studio import blindcards, blindtexts, callbacks, cards, checks, texts
from studio.blind import BlindProgress, BlindRound, BlindTest
from studio.library import Library
from studio.panels.events import quiet
from studio.panels.exports import SAVE
from studio.panels.parts import CanvasParts, ContextParts, ResultParts, Visit
from studio.state import GenerateInputs, Stop, StudioError


@dataclass(frozen=True)
class BlindParts:
    """Blind test tab; `drawn` is the round on the page, which stays on the server.

    Attributes:
        asked_stop: its own, so that Stop ends the pair and not a Generate that is drawn or waits beside it.
    """

    tab: gr.Tab
    draw: gr.Button
    stop: gr.Button
    status: gr.HTML
    pair: gr.HTML
    judge: gr.Row
    choices: dict[str, gr.Button]
    reveal: gr.Button
    results: gr.HTML
    export: gr.Button
    file: gr.File
    drawn: gr.State
    asked_stop: gr.State


def blind_tab(tab: gr.Tab) -> BlindParts:
    gr.HTML(f"<p>{cards.escape(blindtexts.INTRO)}</p>", elem_id="blind-intro")
    with gr.Row(elem_id="blind-run"):
        draw = gr.Button(blindtexts.DRAW, variant="primary", elem_id="blind-draw")
        stop = gr.Button(blindtexts.STOP, interactive=False, elem_id="blind-stop")
    status = gr.HTML(elem_id="blind-status")
    pair = gr.HTML(blindcards.empty_html(), elem_id="blind-pair")
    with gr.Row(visible=False, elem_id="blind-judge") as judge:
        names = {"left": blindtexts.LEFT, "none": blindtexts.NONE, "right": blindtexts.RIGHT}
        choices = {key: gr.Button(name, elem_id=f"blind-{key}") for key, name in names.items()}
    reveal = gr.Button(blindtexts.REVEAL, visible=False, elem_id="blind-reveal")
    with gr.Accordion(blindtexts.RESULTS, open=False, elem_id="blind-results"):
        results = gr.HTML()
        export = gr.Button(blindtexts.EXPORT, size="sm", elem_id="blind-export")
    hidden = gr.File(visible="hidden")
    states = gr.State(None), gr.State(Stop())
    return BlindParts(tab, draw, stop, status, pair, judge, choices, reveal, results, export, hidden, *states)


def bind_blind(
    library: Library,
    blind: BlindParts,
    context: ContextParts,
    canvas: CanvasParts,
    results: ResultParts,
    visit: Visit,
) -> None:
    test = BlindTest(library.engine, library.store)
    _bind_draw(library, test, blind, (context, canvas, results), visit)
    _bind_judge(test, blind, visit)
    _bind_results(test, blind, visit)


def _line(words: str, phase: str = "idle") -> str:
    return cards.message_html(words, phase=phase) if words else ""


def _table(test: BlindTest, user: str, drawn: BlindRound | None) -> str:
    return blindcards.results_html(test.pairs(user, drawn), test.pairs(None, drawn))


def _bind_draw(
    library: Library,
    test: BlindTest,
    blind: BlindParts,
    page: tuple[ContextParts, CanvasParts, ResultParts],
    visit: Visit,
) -> None:
    context, canvas, results = page

    def draw_pair(user: str, seed: int, lock_seed: bool, stop: Stop, *asked: object) -> Iterator[dict]:
        stop.asked = False
        *fields, mask, image = asked  # in the order of GenerateInputs
        inputs = GenerateInputs(
            *fields[:4],
            BLIND_CANDIDATES,
            *fields[4:],
            seed if lock_seed else callbacks.pick_seed(),
            mask if image else "",
            image,
        )
        try:
            key = library.known(user)
            request = checks.check_request(library.engine, inputs)
            yield {visit.user: key} | _buttons(blind, running=True)
            with closing(test.draw(request, stop)) as progress:
                for one in progress:
                    if one.stopped:
                        yield {blind.status: _line(blindtexts.STOPPED)} | _buttons(blind, running=False)
                    elif one.drawn is not None:
                        table = {blind.results: _table(test, key, one.drawn)}
                        yield _shown(blind, one.drawn) | table | _buttons(blind, running=False)
                    else:
                        yield _running(blind, one)
        except StudioError as error:
            yield {blind.status: _line(str(error), "failed")} | _buttons(blind, running=False)

    asked = [context.category, context.week, context.prompt, canvas.canvas, results.steps, results.guidance]
    asked += [results.influence, canvas.mask, canvas.base]
    written = [visit.user, blind.status, blind.pair, blind.judge, *blind.choices.values(), blind.reveal]
    event = blind.draw.click(
        draw_pair,
        [visit.user, results.seed, results.lock_seed, blind.asked_stop, *asked],
        [*written, blind.draw, blind.stop, blind.results, blind.drawn],
        show_progress="hidden",
        concurrency_limit=None,  # they wait in `turns`
        trigger_mode="once",
        api_visibility="private",
    )
    broken = {blind.status: cards.message_html(blindtexts.BROKEN)}
    event.failure(
        lambda: broken | _buttons(blind, running=False), None, [blind.status, blind.draw, blind.stop], **quiet()
    )
    blind.stop.click(_ask_blind_to_stop, blind.asked_stop, blind.stop, queue=False, **quiet())


def _ask_blind_to_stop(stop: Stop) -> dict:
    stop.asked = True
    return gr.update(interactive=False)


def _running(blind: BlindParts, one: BlindProgress) -> dict:
    if one.waiting is not None:
        words, fraction = texts.waiting(one.waiting.ahead, one.waiting.seconds), None
    else:
        words, fraction = blindtexts.DRAWING if one.fraction else blindtexts.LOADING, one.fraction
    return {blind.status: cards.message_html(words, phase="running", fraction=fraction)}


def _buttons(blind: BlindParts, *, running: bool) -> dict:
    return {blind.draw: gr.update(interactive=not running), blind.stop: gr.update(interactive=running)}


def _shown(blind: BlindParts, drawn: BlindRound) -> dict:
    """A new pair, with nothing chosen."""
    return {button: gr.update(variant="secondary", interactive=True) for button in blind.choices.values()} | {
        blind.status: _line(blindtexts.DRAWN),
        blind.pair: blindcards.pair_html(drawn),
        blind.judge: gr.update(visible=True),
        blind.reveal: gr.update(visible=False),
        blind.drawn: drawn,
    }


def _bind_judge(test: BlindTest, blind: BlindParts, visit: Visit) -> None:
    def judge_pair(choice: str, user: str, drawn: BlindRound | None) -> dict:
        try:
            judged = test.judge(user, drawn, choice)
        except StudioError as error:
            return {blind.status: _line(str(error), "failed")}
        pressed = {
            button: gr.update(variant="primary" if key == choice else "secondary")
            for key, button in blind.choices.items()
        }
        return pressed | {
            blind.status: _line(blindtexts.chosen(choice)),
            blind.pair: blindcards.pair_html(judged),
            blind.reveal: gr.update(visible=True),
            blind.drawn: judged,
        }

    def reveal_models(user: str, drawn: BlindRound | None) -> dict:
        try:
            shown = test.reveal(drawn)
            table = _table(test, user, shown)
        except StudioError as error:
            return {blind.status: _line(str(error), "failed")}
        words = blindtexts.revealed(shown.choice, shown.left.name, shown.right.name)
        return {button: gr.update(interactive=False) for button in blind.choices.values()} | {
            blind.status: _line(words),
            blind.pair: blindcards.pair_html(shown),
            blind.reveal: gr.update(visible=False),
            blind.draw: gr.update(variant="primary"),
            blind.results: table,
            blind.drawn: shown,
        }

    outputs = [blind.status, blind.pair, *blind.choices.values(), blind.reveal, blind.drawn]
    for key, button in blind.choices.items():
        button.click(
            lambda user, drawn, key=key: judge_pair(key, user, drawn), [visit.user, blind.drawn], outputs, **quiet()
        )
    blind.reveal.click(reveal_models, [visit.user, blind.drawn], [*outputs, blind.draw, blind.results], **quiet())


def _bind_results(test: BlindTest, blind: BlindParts, visit: Visit) -> None:
    def show_results(user: str, drawn: BlindRound | None) -> dict:
        try:
            return {blind.results: _table(test, user, drawn)}
        except StudioError as error:
            return {blind.status: _line(str(error), "failed")}

    def export_results(user: str, drawn: BlindRound | None) -> dict:
        try:
            made = test.export(user, drawn)
        except StudioError as error:
            return {blind.file: None, blind.status: _line(str(error), "failed")}
        return {blind.file: save_bytes_to_cache(made.data, made.name, blind.file.GRADIO_CACHE)}

    given = [visit.user, blind.drawn]
    blind.tab.select(show_results, given, [blind.results, blind.status], **quiet())
    made = blind.export.click(export_results, given, [blind.file, blind.status], **quiet())
    made.success(fn=None, inputs=blind.file, js=SAVE, **quiet())

"""Left column: category, week, that week's bestsellers, prompt and what the trend suggests."""

from __future__ import annotations

import gradio as gr

from studio import callbacks, cards, provenance, texts
from studio.components import PhraseChips, TrendPictures
from studio.engine import DesignEngine
from studio.panels.events import following, quiet
from studio.panels.parts import CanvasParts, ContextParts, ResultParts
from studio.panels.words import bind_words, word_book, words_of_week
from studio.state import StudioError


def context_column(engine: DesignEngine) -> ContextParts:
    first = callbacks.page_context(engine, engine.categories[0].folder, engine.weeks[-1].key)
    category = gr.Dropdown(
        [(texts.CATEGORIES[one.folder], one.folder) for one in engine.categories],
        value=first.category,
        label=texts.CATEGORY,
        elem_id="category",
    )
    week = gr.Dropdown(
        [(texts.week_label(one), one.key) for one in reversed(engine.weeks)],
        value=first.week,
        label=texts.WEEK,
        elem_id="week",
    )
    headline = gr.HTML(cards.headline_html(first), elem_id="headline")
    bestsellers = gr.HTML(cards.bestsellers_html(first), elem_id="bestsellers")
    prompt = gr.Textbox(
        first.suggestion, label=texts.PROMPT, lines=3, max_lines=5, elem_id="prompt", placeholder=texts.PROMPT_HINT
    )
    use = gr.Button(texts.USE_SUGGESTION, size="sm", elem_id="use-suggestion")
    # In the page, not in gr.State: the prompt is compared with the suggestion that was shown together with it.
    suggestion = gr.Textbox(first.suggestion, visible="hidden")
    phrases = PhraseChips(provenance.phrases_html(first))
    behind = TrendPictures("", elem_id="phrase-pictures")
    words = word_book(engine, first.category, first.week, first.suggestion)
    return ContextParts(category, week, headline, bestsellers, prompt, suggestion, use, phrases, behind, words)


def bind_context(engine: DesignEngine, context: ContextParts, canvas: CanvasParts, results: ResultParts) -> None:
    def context_changed(category: str, week: str, prompt: str, suggestion: str) -> tuple:
        try:
            shown = callbacks.page_context(engine, category, week)
            untouched = not prompt.strip() or prompt == suggestion
            words = words_of_week(engine, category, week, shown.suggestion if untouched else prompt)
        except StudioError as error:
            return *[gr.skip()] * 7, cards.message_html(str(error))
        return (
            cards.headline_html(shown),
            cards.bestsellers_html(shown),
            shown.suggestion if untouched else gr.skip(),
            shown.suggestion,
            provenance.phrases_html(shown),
            "",
            words,
            gr.skip(),
        )

    def category_changed(category: str, template_of: str, value: str | None) -> tuple:
        try:
            if callbacks.still_template(engine, template_of, value):
                return gr.update(value=callbacks.template(engine, category), slot=category), category
        except StudioError as error:
            gr.Warning(cards.escape(str(error)))
        return gr.update(slot=category), gr.skip()

    shown_again = [context.headline, context.bestsellers, context.prompt, context.suggestion]
    outputs = [*shown_again, context.phrases, context.behind, context.words, results.status]
    inputs = [context.category, context.week, context.prompt, context.suggestion]
    gr.on([context.category.change, context.week.change], context_changed, inputs, outputs, **following())
    context.category.change(
        category_changed,
        [context.category, canvas.template_of, canvas.canvas],
        [canvas.canvas, canvas.template_of],
        **following(),
    )
    bind_words(engine, context, results)
    context.use_suggestion.click(lambda text: text, context.suggestion, context.prompt, **quiet())

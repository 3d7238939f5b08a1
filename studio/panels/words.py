"""The words beside the prompt, and the palette: what is pressed goes into the prompt."""

from __future__ import annotations

import gradio as gr

from studio import cards, words
from studio.components import WordBook
from studio.engine import DesignEngine
from studio.panels.cardtools import given
from studio.panels.events import following, quiet
from studio.panels.parts import ContextParts, ResultParts
from studio.state import StudioError


def word_book(engine: DesignEngine, category: str, week: str, prompt: str) -> gr.HTML:
    pressed, garment = words.marks(prompt, category)
    return WordBook(words.words_html(engine, category, week), pressed=pressed, garment=garment)


def words_of_week(engine: DesignEngine, category: str, week: str, prompt: str) -> dict:
    """The words of another category or week, as an update; raises StudioError as `words.words_html` does."""
    pressed, garment = words.marks(prompt, category)
    return gr.update(value=words.words_html(engine, category, week), pressed=pressed, garment=garment)


def bind_words(engine: DesignEngine, context: ContextParts, results: ResultParts) -> None:
    def press_word(prompt: str, category: str, event: gr.EventData) -> tuple:
        pressed = given(event)
        try:
            return words.put(prompt, category, pressed.get("key"), also=pressed.get("also") is True), gr.skip()
        except StudioError as error:
            return gr.skip(), cards.message_html(str(error))

    def pick_colour(prompt: str, category: str, event: gr.EventData) -> tuple:
        pressed = given(event)
        try:
            picked = words.pick(prompt, category, pressed.get("colour"), also=pressed.get("also") is True)
        except StudioError as error:
            return gr.skip(), gr.skip(), cards.message_html(str(error))
        return picked.prompt, gr.update(picked={"words": picked.words, "swatch": picked.swatch}), gr.skip()

    def mark_words(prompt: str, category: str) -> dict:
        try:
            pressed, garment = words.marks(prompt, category)
        except StudioError:  # `context_changed` says what is wrong with the category
            return gr.skip()
        return gr.update(pressed=pressed, garment=garment)

    inputs = [context.prompt, context.category]
    context.words.word(press_word, inputs, [context.prompt, results.status], **following())
    context.words.colour(pick_colour, inputs, [context.prompt, context.words, results.status], **following())
    context.prompt.change(mark_words, inputs, context.words, queue=False, trigger_mode="always_last", **quiet())

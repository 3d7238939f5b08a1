"""Centre column: the paper to draw on, and what can be put on it."""

from __future__ import annotations

import time
from collections.abc import Callable

import gradio as gr

from studio import callbacks, cards, live, texts, underlay
from studio.components import CanvasOutlet, SketchCanvas
from studio.engine import DesignEngine
from studio.panels.events import quiet
from studio.panels.parts import CanvasParts, ContextParts, ResultParts
from studio.state import StudioError

IMAGE_TYPES = [".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"]


def canvas_column(engine: DesignEngine) -> CanvasParts:
    category = engine.categories[0].folder
    canvas = SketchCanvas(callbacks.template(engine, category), slot=category, live=live.is_offered())
    mask, base = CanvasOutlet("mask"), CanvasOutlet("base")
    with gr.Row(elem_id="sketch-tools"):
        template = gr.Button(texts.TEMPLATE, size="sm", elem_id="template")
        edge_map = gr.UploadButton(texts.EDGE_MAP, size="sm", file_types=IMAGE_TYPES, elem_id="edge-map")
        photo = gr.UploadButton(texts.PHOTO, size="sm", file_types=IMAGE_TYPES, elem_id="photo")
    template_of = gr.Textbox(category, visible="hidden")  # as `suggestion`
    return CanvasParts(canvas, mask, base, template, edge_map, photo, template_of)


def bind_canvas(engine: DesignEngine, context: ContextParts, canvas: CanvasParts, results: ResultParts) -> None:
    def place(make: Callable[[], str], done: str) -> tuple:
        try:
            return make(), cards.message_html(done, phase="idle")
        except StudioError as error:
            return gr.skip(), cards.message_html(str(error))

    def place_template(category: str) -> tuple:
        return *place(lambda: callbacks.template(engine, category), texts.TEMPLATE_DONE), category

    def place_edge_map(upload: str | None) -> tuple:
        return place(lambda: callbacks.sketch_from_edge_map_file(upload), texts.EDGE_MAP_DONE)

    def place_photo(upload: str | None) -> tuple:
        return place(lambda: callbacks.sketch_from_photo_file(upload), texts.PHOTO_DONE)

    def place_trace(event: gr.EventData) -> tuple:
        return place(lambda: underlay.trace_picture(_given(event, "picture")), texts.TRACE_DONE)

    def place_bestseller(category: str, week: str, event: gr.EventData) -> tuple:
        try:
            picture, name = underlay.bestseller_picture(engine, category, week, _given(event, "article"))
        except StudioError as error:
            return gr.skip(), cards.message_html(str(error))
        # The time, since a prop that did not change tells the canvas nothing: the same picture may be asked for again.
        return gr.update(underlay=[picture, {"base": False, "name": name, "at": time.monotonic_ns()}]), gr.skip()

    outputs = [canvas.canvas, results.status]
    canvas.template.click(place_template, context.category, [*outputs, canvas.template_of], **quiet())
    canvas.edge_map.upload(place_edge_map, canvas.edge_map, outputs, **quiet())
    canvas.photo.upload(place_photo, canvas.photo, outputs, **quiet())
    canvas.canvas.trace(place_trace, None, outputs, **quiet())
    canvas.canvas.fetch(place_bestseller, [context.category, context.week], outputs, **quiet())


def _given(event: gr.EventData, name: str) -> object:
    """What the page says of an event; not to be trusted."""
    return event._data.get(name) if isinstance(event._data, dict) else None

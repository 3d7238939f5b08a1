"""Centre column: the paper to draw on, and what can be put on it."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from studio import callbacks, cards, texts
from studio.components import SketchCanvas
from studio.engine import DesignEngine
from studio.panels.events import quiet
from studio.panels.parts import CanvasParts, ContextParts, ResultParts
from studio.state import StudioError

IMAGE_TYPES = [".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"]


def canvas_column(engine: DesignEngine) -> CanvasParts:
    category = engine.categories[0].folder
    canvas = SketchCanvas(callbacks.template(engine, category))
    with gr.Row(elem_id="sketch-tools"):
        template = gr.Button(texts.TEMPLATE, size="sm", elem_id="template")
        edge_map = gr.UploadButton(texts.EDGE_MAP, size="sm", file_types=IMAGE_TYPES, elem_id="edge-map")
        photo = gr.UploadButton(texts.PHOTO, size="sm", file_types=IMAGE_TYPES, elem_id="photo")
    return CanvasParts(canvas, template, edge_map, photo, gr.Textbox(category, visible="hidden"))  # as `suggestion`


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

    outputs = [canvas.canvas, results.status]
    canvas.template.click(place_template, context.category, [*outputs, canvas.template_of], **quiet())
    canvas.edge_map.upload(place_edge_map, canvas.edge_map, outputs, **quiet())
    canvas.photo.upload(place_photo, canvas.photo, outputs, **quiet())

"""Below the results: designs as files to take away, and a saved design to go on with, chosen or dropped on the page."""

from __future__ import annotations

import json
from collections.abc import Callable

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from fashiondistill.exports.passport import Passport
from studio import callbacks, cards, texts
from studio.engine import DesignEngine
from studio.exporting import File, Kind, OpenedFile, export, export_sketch, open_file
from studio.panels.events import quiet
from studio.panels.parts import CanvasParts, ContextParts, ExportParts, ResultParts
from studio.state import StudioError

# The browser saves what the hidden file component holds. Not a DownloadButton: its file would have to be made before
# anybody asks for it.
SAVE = """(file) => {
  if (!file) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name;
  link.click();
}"""

# A file dropped anywhere on the page goes to the input of "Open a design", unless a component took it.
DROP = """
<script>
(() => {
  const holdsFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  const show = (on) => document.body && document.body.classList.toggle("fd-dropping", on);
  let depth = 0;
  document.addEventListener("dragenter", (event) => {
    if (!holdsFiles(event)) return;
    depth += 1;
    document.body.dataset.dropHint = %s;
    show(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (holdsFiles(event) && (depth = Math.max(0, depth - 1)) === 0) show(false);
  });
  document.addEventListener("dragover", (event) => holdsFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    depth = 0;
    show(false);
    if (!holdsFiles(event) || event.defaultPrevented) return;
    event.preventDefault();
    const input = document.querySelector("#export-row input[type=file]");
    if (!input || !event.dataTransfer.files.length) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
</script>
"""


def drop_script() -> str:
    """What takes files that are dropped on the page; part of its head."""
    return DROP % json.dumps(texts.DROP_HINT)


def exports_row() -> ExportParts:
    gr.HTML(f'<p class="fd-label">{cards.escape(texts.EXPORT_LABEL)}</p>', elem_id="export-label")
    with gr.Row(elem_id="export-row"):
        archive = gr.Button(texts.EXPORT_ZIP, size="sm", elem_id="export-zip")
        sheet = gr.Button(texts.EXPORT_PDF, size="sm", elem_id="export-pdf")
        table = gr.Button(texts.EXPORT_CSV, size="sm", elem_id="export-csv")
        sketch = gr.Button(texts.EXPORT_SVG, size="sm", elem_id="export-svg")
        open_design = gr.UploadButton(texts.OPEN_DESIGN, size="sm", file_types=["image"], elem_id="open-design")
    return ExportParts(archive, sheet, table, sketch, open_design, gr.File(visible="hidden"))


def bind_exports(
    engine: DesignEngine,
    context: ContextParts,
    canvas: CanvasParts,
    results: ResultParts,
    exports: ExportParts,
    own: gr.State,
) -> None:
    def hand_over(make: Callable[[], File]) -> tuple:
        try:
            made = make()
        except StudioError as error:
            return None, cards.message_html(str(error))
        path = save_bytes_to_cache(made.data, made.name, exports.file.GRADIO_CACHE)
        return path, cards.message_html(texts.exported(made.name), phase="idle")

    def exporter(kind: Kind) -> Callable[[tuple[Passport, ...]], tuple]:
        return lambda designs: hand_over(lambda: export(kind, designs))

    def save_sketch(value: str | None, prompt: str) -> tuple:
        return hand_over(lambda: export_sketch(value, title=prompt))

    outputs = [exports.file, results.status]
    for button, kind in ((exports.archive, "zip"), (exports.sheet, "pdf"), (exports.table, "csv")):
        made = button.click(exporter(kind), own, outputs, **quiet())
        made.success(fn=None, inputs=exports.file, js=SAVE, **quiet())
    made = exports.sketch.click(save_sketch, [canvas.canvas, context.prompt], outputs, **quiet())
    made.success(fn=None, inputs=exports.file, js=SAVE, **quiet())
    exports.open_design.upload(
        _opener(engine),
        exports.open_design,
        [
            results.status,
            canvas.canvas,
            canvas.template_of,
            context.category,
            context.week,
            context.prompt,
            context.suggestion,
            results.num_candidates,
            results.steps,
            results.guidance,
            results.influence,
            results.seed,
            results.lock_seed,
            results.results,
            own,
        ],
        **quiet(),
    )


def _opener(engine: DesignEngine) -> Callable[[str | None], tuple]:
    """What happens to an opened file: values of all that `bind_exports` lists."""

    def open_design(upload: str | None) -> tuple:
        try:
            opened = open_file(engine, upload)
        except StudioError as error:
            return cards.message_html(str(error)), *(gr.skip(),) * 14
        message = cards.message_html(opened.message, phase="idle")
        if opened.passport is None:
            return message, opened.sketch, *(gr.skip(),) * 13
        return message, opened.sketch, *_restored(engine, opened, opened.passport)

    return open_design


def _restored(engine: DesignEngine, opened: OpenedFile, passport: Passport) -> tuple:
    request = passport.request
    config = request.config
    # With the suggestion of the same week, so that the events that follow category and week keep the prompt.
    week = opened.week or gr.skip()
    suggestion = callbacks.page_context(engine, request.category, opened.week).suggestion if opened.week else gr.skip()
    return (
        request.category,
        request.category,
        week,
        request.prompt,
        suggestion,
        config.num_candidates,
        config.num_inference_steps,
        config.guidance_scale,
        config.sketch_influence,
        request.seed,
        True,
        cards.results_html(opened.view, model=passport.model),
        (passport,),
    )

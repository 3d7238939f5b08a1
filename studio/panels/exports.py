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
from studio.library import Kept, Library
from studio.panels.events import quiet
from studio.panels.parts import CanvasParts, ContextParts, ExportParts, ResultParts, Visit
from studio.singles import keep_opened
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


def hand_over(file: gr.File, make: Callable[[], File]) -> tuple:
    """Values of the hidden component that the browser saves from, and of the message line."""
    try:
        made = make()
    except StudioError as error:
        return None, cards.message_html(str(error))
    path = save_bytes_to_cache(made.data, made.name, file.GRADIO_CACHE)
    return path, cards.message_html(texts.exported(made.name), phase="idle")


def bind_exports(
    library: Library,
    context: ContextParts,
    canvas: CanvasParts,
    results: ResultParts,
    exports: ExportParts,
    visit: Visit,
) -> None:
    def exporter(kind: Kind) -> Callable[[tuple[Passport, ...]], tuple]:
        return lambda designs: hand_over(exports.file, lambda: export(kind, designs))

    def save_sketch(value: str | None, prompt: str) -> tuple:
        return hand_over(exports.file, lambda: export_sketch(value, title=prompt))

    outputs = [exports.file, results.status]
    for button, kind in ((exports.archive, "zip"), (exports.sheet, "pdf"), (exports.table, "csv")):
        made = button.click(exporter(kind), visit.latest, outputs, **quiet())
        made.success(fn=None, inputs=exports.file, js=SAVE, **quiet())
    made = exports.sketch.click(save_sketch, [canvas.canvas, context.prompt], outputs, **quiet())
    made.success(fn=None, inputs=exports.file, js=SAVE, **quiet())
    exports.open_design.upload(
        _opener(library),
        [exports.open_design, visit.user],
        [
            visit.user,
            results.status,
            canvas.canvas,
            canvas.mask,
            canvas.base,
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
            visit.latest,
        ],
        **quiet(),
    )


def _opener(library: Library) -> Callable[[str | None, str], tuple]:
    """What happens to an opened file: values of all that `bind_exports` lists."""

    def open_design(upload: str | None, user: str) -> tuple:
        try:
            opened = open_file(library.engine, upload)
            if opened.passport is None:
                message = cards.message_html(opened.message, phase="idle")
                return gr.skip(), message, opened.sketch, *(gr.skip(),) * 15
            key = library.known(user)
        except StudioError as error:
            return gr.skip(), cards.message_html(str(error)), *(gr.skip(),) * 16
        try:
            kept = keep_opened(library, key, opened.passport)
        except StudioError as error:  # it is shown all the same, without a heart
            kept = Kept(problem=str(error))
        message = cards.message_html(kept.problem or opened.message, phase="failed" if kept.problem else "idle")
        known = gr.skip() if key == user else key
        return known, message, *_restored(library.engine, opened, opened.passport, kept)

    return open_design


def _restored(engine: DesignEngine, opened: OpenedFile, passport: Passport, kept: Kept) -> tuple:
    request = passport.request
    config = request.config
    # With the suggestion of the same week, so that the events that follow category and week keep the prompt.
    week = opened.week or gr.skip()
    suggestion = callbacks.page_context(engine, request.category, opened.week).suggestion if opened.week else gr.skip()
    return (
        opened.sketch,
        opened.mask,
        opened.base,
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
        cards.results_html(opened.view, model=passport.model, kept=kept),
        (passport,),
    )

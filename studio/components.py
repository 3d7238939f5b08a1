"""Gradio components of our own, built on gr.HTML; their templates are the files in `static/`.

In: values of the layout. Out: configured gr.HTML. Functions, not subclasses: Gradio writes a .pyi file into the
source folder for every subclass of a component.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import gradio as gr

STATIC = Path(__file__).parent / "static"
STORAGE_KEY = "fashiondistill-sketch"


def SketchCanvas(  # noqa: N802 - reads as the component it is
    value: str | None = None,
    *,
    onion: str | None = None,
    elem_id: str = "sketch-canvas",
    storage_key: str = STORAGE_KEY,
    visible: bool = True,
) -> gr.HTML:
    """A drawing canvas of 384 x 512 pixels whose value is a PNG data URL; `canvas.decode_canvas` reads it.

    A finished stroke, undo, redo and clear each change the value once: bind `.change` for every change, also those from
    Python, or `.input` for the designer's own. Writing the value draws it as one undoable step. The drawing is kept in
    the browser under `storage_key` and wins over `value` after a reload; give an opening template as `value`, not by
    `demo.load`, which would draw over the restored sketch.

    Args:
        value: data URL to open with, from `canvas.encode_canvas`; None for white paper.
        onion: data URL of a picture shown faintly beneath the drawing; not part of the value. Change it with
            `gr.update(onion=...)`.
        elem_id: id of the element in the page.
        storage_key: key in the browser's localStorage; one per canvas.
        visible: whether the component is shown.
    """
    return gr.HTML(
        value=value,
        html_template=(STATIC / "canvas.html").read_text(encoding="utf-8"),
        css_template=(STATIC / "canvas.css").read_text(encoding="utf-8"),
        js_on_load=(STATIC / "canvas.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        label="Sketch",
        elem_id=elem_id,
        visible=visible,
        onion=onion or "",
        storage_key=storage_key,
    )


def TrendBoard(library: Path, *, elem_id: str = "trend-board") -> gr.HTML:  # noqa: N802 - reads as the component it is
    """The plots of the Trends tab; the value is `trendboard.board`'s JSON, "" for none.

    A click on a point makes a `click` event whose data are {"week": ..., "word": ...}. The plots' own library is
    fetched from this server with the first value, not with the page: it is 4.8 MB.

    Args:
        library: file of plotly.js.
        elem_id: id of the element in the page.
    """
    gr.set_static_paths([library])
    url = escape(f"gradio_api/file={library.as_posix()}")  # relative: the page may be served below a prefix
    template = (STATIC / "board.html").read_text(encoding="utf-8")
    return gr.HTML(
        value="",
        html_template=template.replace("{library}", url),
        js_on_load=(STATIC / "board.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        label="Trends",
        elem_id=elem_id,
    )


def ResultCards(value: str, *, elem_id: str = "results") -> gr.HTML:  # noqa: N802 - reads as the component it is
    """Candidates with hearts: a `heart` event has {"design": id, "on": bool, "shown": ids beside it}.

    The heart changes at once; where the answer refuses it, `gr.update(refused=id)` turns it back.
    """
    return _listening("hearts.js", value, elem_id, refused="")


def BoardGrid(value: str, *, elem_id: str = "board-grid") -> gr.HTML:  # noqa: N802 - reads as the component it is
    """Tiles of designs: `heart` as in `ResultCards`, `choose` with {"design": id}, `compare` with {"designs": ids}."""
    return _listening("boardgrid.js", value, elem_id, refused="")


def BoardExtra(*, elem_id: str = "board-extra") -> gr.HTML:  # noqa: N802 - reads as the component it is
    """A comparison, whose rail moves the seam between two pictures, or a strip of weeks."""
    return _listening("compare.js", "", elem_id)


def _listening(script: str, value: str, elem_id: str, **props: str) -> gr.HTML:
    shared = (STATIC / "hearts.js").read_text(encoding="utf-8") if script == "boardgrid.js" else ""
    return gr.HTML(
        value=value,
        js_on_load=shared + (STATIC / script).read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=elem_id,
        **props,
    )

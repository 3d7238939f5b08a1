"""Gradio components of our own, built on gr.HTML; their templates are the files in `static/`.

In: values of the layout. Out: configured gr.HTML. Functions, not subclasses: Gradio writes a .pyi file into the
source folder for every subclass of a component.
"""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path

import gradio as gr

from studio import canvastexts, texts, trendtexts

STATIC = Path(__file__).parent / "static"
WITH_HEARTS = ("boardgrid.js", "cards.js")
STORAGE_KEY = "fashiondistill-sketch"
SCRIPTS = ("canvas.js", "canvas_saving.js", "canvas_view.js", "canvas_tools.js", "canvas_panel.js")  # in this order


def SketchCanvas(  # noqa: N802 - reads as the component it is
    value: str | None = None,
    *,
    slot: str = "",
    live: bool = False,
    elem_id: str = "sketch-canvas",
    storage_key: str = STORAGE_KEY,
) -> gr.HTML:
    """A drawing canvas of 384 x 512 pixels whose value is a PNG data URL; `canvas.decode_canvas` reads it.

    A finished stroke, undo, redo and clear each change the value once: bind `.change` for every change, also those from
    Python, or `.input` for the designer's own. Writing the value draws it as one undoable step. The drawing is kept in
    the browser under `storage_key` and wins over `value` after a reload; give an opening template as `value`, not by
    `demo.load`, which would draw over the restored sketch.

    Beside the sketch the canvas holds a repaint area and a picture under the paper; `CanvasOutlet` gives them to
    events. Further events: `.trace`, with {"picture": data URL} whose lines are wanted; `.fetch`, with {"article": id}
    of the bestseller to be laid under the paper, answered by `gr.update(underlay=[data URL, {"base": bool, "name":
    str, "at": anything new}])`; and `.live`, 400 ms after the pen has lifted while Live is on.

    Args:
        value: data URL to open with, from `canvas.encode_canvas`; None for white paper.
        slot: the drawings of one slot are kept apart from those of another. Changed by `gr.update(slot=...)`, together
            with a `value` if need be; a drawing that was kept in the slot wins over it.
        live: whether the Live button is shown.
        elem_id: id of the element in the page.
        storage_key: opening of the keys in the browser's localStorage; one per canvas.
    """
    rows = "".join(f"<dt>{escape(keys)}</dt><dd>{escape(what)}</dd>" for keys, what in canvastexts.SHORTCUTS)
    places = {name: escape(text) for name, text in canvastexts.WORDS.items()} | {
        "storage_key": escape(storage_key),
        "slot": escape(slot),
        # Not as props: a tab that is opened late is made without them.
        "words": escape(json.dumps(canvastexts.WORDS)),
        "live_hidden": "" if live else "hidden",
        "shortcuts": rows,
        "shortcuts_note": escape(canvastexts.SHORTCUTS_NOTE),
    }
    template = (STATIC / "canvas.html").read_text(encoding="utf-8")
    return gr.HTML(
        value=value,
        html_template=re.sub(r"\[\[(\w+)\]\]", lambda found: places[found[1]], template),
        css_template=(STATIC / "canvas.css").read_text(encoding="utf-8"),
        js_on_load="\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS),
        apply_default_css=False,
        label=texts.SKETCH,
        elem_id=elem_id,
        slot=slot,
        underlay=None,
    )


def CanvasOutlet(name: str, *, storage_key: str = STORAGE_KEY) -> gr.HTML:  # noqa: N802 - reads as the component it is
    """One more value of the canvas with this `storage_key`, for events to read and to write; nothing is shown.

    Args:
        name: "mask", a PNG data URL with white where to repaint, or "base", that of the picture to repaint, uint8
            384 x 512; both are "" where there is none. Writing either is one undoable step on the canvas.
        storage_key: of the canvas.
    """
    if name not in ("mask", "base"):
        raise ValueError(f'outlet: {name!r} is unknown; give "mask" or "base".')
    attributes = f'data-outlet="{name}" data-key="{escape(storage_key)}"'
    return gr.HTML(
        value="",
        html_template=f"<span {attributes} hidden></span>",
        js_on_load=(STATIC / "outlet.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        label=name,
        elem_classes=["fd-outlet"],
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
        html_template=template.format(
            library=url, words=escape(json.dumps(trendtexts.board_words())), wait=escape(trendtexts.PLOTS_WAIT)
        ),
        js_on_load=(STATIC / "board.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        label=texts.TAB_TRENDS,
        elem_id=elem_id,
    )


def ResultCards(value: str, *, elem_id: str = "results") -> gr.HTML:  # noqa: N802 - reads as the component it is
    """Candidates with hearts: a `heart` event has {"design": id, "on": bool, "shown": ids beside it}.

    The heart changes at once; where the answer refuses it, `gr.update(refused=id)` turns it back. Further events:
    `compare` with {"designs": two ids, or none}, `vary` with {"design": id, "how": key of `cardtools.STRENGTHS`},
    `reuse` with {"seed": number}.
    """
    return _listening("cards.js", value, elem_id, refused="")


def BoardGrid(value: str, *, elem_id: str = "board-grid") -> gr.HTML:  # noqa: N802 - reads as the component it is
    """Tiles of designs: `heart` as in `ResultCards`, `choose` with {"design": id}, `compare` with {"designs": ids}."""
    return _listening("boardgrid.js", value, elem_id, refused="")


def BoardExtra(*, elem_id: str = "board-extra") -> gr.HTML:  # noqa: N802 - reads as the component it is
    """A comparison, whose rail moves the seam between two pictures, or a strip of weeks."""
    return _listening("compare.js", "", elem_id)


def TrendPictures(value: str, *, elem_id: str = "trend-pictures") -> gr.HTML:  # noqa: N802 - as above
    """Garments behind a plot or a phrase: a `take` event has {"article": id, "how": "prompt" or "trace"}."""
    return _listening("drawer.js", value, elem_id)


def PhraseChips(value: str, *, elem_id: str = "phrases") -> gr.HTML:  # noqa: N802 - as above
    """Phrases of the week's suggestion: a `phrase` event has {"word": phrase}, "" to close what is open."""
    return _listening("phrases.js", value, elem_id)


def WordBook(value: str, *, pressed: list[str], garment: str, elem_id: str = "words") -> gr.HTML:  # noqa: N802
    """Words for the prompt: `word` has {"key": "kind:word", "also": bool}, `colour` {"colour": "#rrggbb", ...}.

    `gr.update(pressed=keys, garment=noun)` says what stands in the prompt, `picked={"words": ..., "swatch": CSS}` what
    became of the last colour.
    """
    return _listening("words.js", value, elem_id, pressed=pressed, garment=garment, picked={})


def _listening(script: str, value: str, elem_id: str, **props: object) -> gr.HTML:
    shared = (STATIC / "hearts.js").read_text(encoding="utf-8") if script in WITH_HEARTS else ""
    return gr.HTML(
        value=value,
        js_on_load=shared + (STATIC / script).read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=elem_id,
        **props,
    )

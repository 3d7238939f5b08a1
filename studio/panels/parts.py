"""What stands on the page, by panel: the components that events read and write."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True)
class ContextParts:
    """Left column; `phrases` are the suggestion's, `behind` the garments behind one of them, `words` are offered."""

    category: gr.Dropdown
    week: gr.Dropdown
    headline: gr.HTML
    bestsellers: gr.HTML
    prompt: gr.Textbox
    suggestion: gr.Textbox
    use_suggestion: gr.Button
    phrases: gr.HTML
    behind: gr.HTML
    words: gr.HTML


@dataclass(frozen=True)
class CanvasParts:
    """Centre column; `template_of` is the category whose silhouette was placed last.

    `mask` (white = repaint) and `base` (the picture to repaint) are PNG data URLs that the canvas holds beside its
    sketch, "" for none; events read and write them like the sketch.
    """

    canvas: gr.HTML
    mask: gr.HTML
    base: gr.HTML
    template: gr.Button
    edge_map: gr.UploadButton
    photo: gr.UploadButton
    template_of: gr.Textbox


@dataclass(frozen=True)
class ResultParts:
    """Right column."""

    generate: gr.Button
    cancel: gr.Button
    status: gr.HTML
    num_candidates: gr.Slider
    steps: gr.Slider
    guidance: gr.Slider
    influence: gr.Slider
    seed: gr.Number
    lock_seed: gr.Checkbox
    randomise: gr.Button
    results: gr.HTML
    picks: gr.HTML


@dataclass(frozen=True)
class ExportParts:
    """Below the results; `file` holds what the browser saves next."""

    archive: gr.Button
    sheet: gr.Button
    table: gr.Button
    sketch: gr.Button
    open_design: gr.UploadButton
    file: gr.File


@dataclass(frozen=True)
class LiveParts:
    """Preview of live mode, above the candidates."""

    picture: gr.HTML
    words: gr.HTML
    keep: gr.Button
    kept: gr.HTML


@dataclass(frozen=True)
class TrendParts:
    """Trends tab."""

    tab: gr.Tab
    others: gr.Tab
    attribute: gr.Radio
    words: gr.HTML
    board: gr.HTML
    pictures: gr.HTML
    shown: gr.Checkbox


@dataclass(frozen=True)
class Visit:
    """What panels share of one visitor.

    Attributes:
        user: the key to what is theirs in the store.
        own: their designs by category, for the map.
        latest: the latest request's designs as passports, to be exported.
        stop: how to end the request that is running.
    """

    user: gr.BrowserState
    own: gr.State
    latest: gr.State
    stop: gr.State


@dataclass(frozen=True)
class BoardTools:
    """What is done to a board as a whole; `chosen` and `gone` are the rows, shown when there is one."""

    chosen: gr.Row
    name: gr.Textbox
    rename: gr.Button
    delete: gr.Button
    gone: gr.Row
    names: gr.Dropdown
    restore: gr.Button


@dataclass(frozen=True)
class BoardFiles:
    """Exports of what the Board tab shows; `file` as in `ExportParts`."""

    archive: gr.Button
    sheet: gr.Button
    table: gr.Button
    file: gr.File


@dataclass(frozen=True)
class BoardParts:
    """Board tab; `chosen` is the id of the design whose details are shown."""

    tab: gr.Tab
    tabs: gr.Tabs
    search: gr.Textbox
    show: gr.Radio
    category: gr.Dropdown
    week: gr.Dropdown
    board: gr.Dropdown
    tools: BoardTools
    files: BoardFiles
    grid: gr.HTML
    more: gr.Button
    limit: gr.Number
    extra: gr.HTML
    chosen: gr.Textbox
    details: gr.HTML
    actions: gr.Column
    note: gr.Textbox
    boards: gr.Dropdown
    open_again: gr.Button
    vary_subtle: gr.Button
    vary_strong: gr.Button
    across: gr.Button
    stop: gr.Button
    delete: gr.Button
    restore: gr.Button
    training: gr.Checkbox
    picks: gr.HTML
    export: gr.Button
    download: gr.DownloadButton
    message: gr.HTML

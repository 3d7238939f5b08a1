"""HTML of the blind test: the pair, and the results so far.

In: `BlindRound`s and `PairResult`s. Out: HTML; every word that came from a visitor or a folder is escaped. Before the
reveal it holds no trace of the models: pictures are JPEG without metadata. The looks are in static/blind.css. Knows
nothing of gradio.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from fashiondistill.store.blind import PairResult
from studio import blindtexts, texts
from studio.blind import BlindRound
from studio.pictures import jpeg_url


def empty_html() -> str:
    """In the place of the pair."""
    return f'<div class="fd-empty fd-blind-empty"><p>{escape(blindtexts.EMPTY)}</p></div>'


def pair_html(drawn: BlindRound) -> str:
    """Both sides beside each other, with names once they are revealed."""
    request = drawn.request
    paper = np.repeat(np.round(255 * (1 - request.sketch))[..., None], 3, axis=2).astype(np.uint8)
    sketch = f'<img src="{jpeg_url(paper)}" alt="{escape(blindtexts.SKETCH)}" width="384" height="512">'
    about = (
        f'<div class="fd-blind-asked">{sketch}<p>{escape(request.prompt)}'
        f"<small>{escape(blindtexts.asked(request.week, request.seed))}</small></p></div>"
    )
    sides = "".join(_side(drawn, side) for side in blindtexts.SIDES)
    return f'<section class="fd-blind">{about}<div class="fd-sides">{sides}</div></section>'


def _side(drawn: BlindRound, side: str) -> str:
    model = drawn.left if side == "left" else drawn.right
    pictures = drawn.left_pictures if side == "left" else drawn.right_pictures
    name = f"<span>{escape(model.name)}</span>" if drawn.revealed else ""
    chosen = " data-chosen" if drawn.choice == side else ""
    shown = "".join(_picture(drawn, side, k, picture) for k, picture in enumerate(pictures, start=1))
    return (
        f'<figure data-side="{side}"{chosen}><figcaption><b>{escape(blindtexts.SIDES[side])}</b>{name}</figcaption>'
        f'<div class="fd-blind-pictures">{shown}</div></figure>'
    )


def _picture(drawn: BlindRound, side: str, number: int, picture: np.ndarray) -> str:
    key, url = f"fd-blind-{drawn.id}-{side}-{number}", jpeg_url(picture)
    alt = escape(blindtexts.picture(side, number))
    return (
        f'<button type="button" popovertarget="{key}" aria-label="{escape(texts.ENLARGE)} {alt}">'
        f'<img src="{url}" alt="{alt}" width="384" height="512"></button>'
        f'<div id="{key}" class="fd-large" popover><button type="button" popovertarget="{key}" '
        f'popovertargetaction="hide" aria-label="{escape(texts.CLOSE)}"><img src="{url}" alt="{alt}"></button></div>'
    )


def results_html(yours: Sequence[PairResult], everyones: Sequence[PairResult]) -> str:
    """Win rates of each pair; those of all visitors only where they differ from the visitor's own."""
    if not everyones:
        return f'<p class="fd-quiet">{escape(blindtexts.NO_RESULTS)}</p>'
    head = "".join(
        f'<th scope="col">{escape(one)}</th>' for one in (blindtexts.PAIR, blindtexts.JUDGED, blindtexts.RATE)
    )
    groups = [(blindtexts.YOURS, yours)] if yours else []
    if list(everyones) != list(yours):
        groups.append((blindtexts.EVERYONES, everyones))
    bodies = "".join(
        f'<tbody><tr><th colspan="3" scope="rowgroup">{escape(title)}</th></tr>{"".join(map(_row, found))}</tbody>'
        for title, found in groups
    )
    method = f'<p class="fd-quiet">{escape(blindtexts.METHOD)}</p>'
    return f'<table class="fd-rates"><thead><tr>{head}</tr></thead>{bodies}</table>{method}'


def _row(one: PairResult) -> str:
    low, high = one.interval
    where = f"--low: {low:.4f}; --high: {high:.4f}; --rate: {one.rate:.4f}"
    ids = f"{one.first.id}, {one.second.id}"
    return (
        f'<tr><th scope="row" title="{escape(ids)}">{escape(blindtexts.over(one.first.name, one.second.name))}</th>'
        f"<td>{one.count}<small>{escape(blindtexts.counts(one.wins, one.losses, one.ties))}</small></td>"
        f'<td>{escape(blindtexts.rate(one.rate, low, high))}<span class="fd-span" style="{where}" aria-hidden="true">'
        "<i></i><b></b></span></td></tr>"
    )

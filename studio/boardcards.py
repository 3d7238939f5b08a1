"""HTML of hearts and of the Board tab: grid, details, comparison, strip of weeks.

In: records of the store. Out: HTML; every word that came from a visitor is escaped. Pictures are data URLs, so that
nobody else can fetch them. The looks are in static/board.css. Knows nothing of gradio.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from functools import lru_cache
from html import escape

import numpy as np
from PIL import Image

from fashiondistill.design import ScoredDesign
from fashiondistill.store import DesignRecord
from studio import boardtexts, cardtexts, texts
from studio.library import Kept, Library
from studio.pictures import jpeg_url
from studio.state import StudioError

TILE_HEIGHT = 320  # pixels; tiles show at up to 240, so that they stay sharp on most screens


def heart_html(design_id: str, favourite: bool, name: str) -> str:
    """A heart that `static/hearts.js` listens to."""
    label = escape(f"{boardtexts.HEART}: {name}")
    return (
        f'<button type="button" class="fd-heart" data-design="{escape(design_id)}" aria-label="{label}" '
        f'aria-pressed="{"true" if favourite else "false"}"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 '
        '20.5 4.6 13a5 5 0 0 1 7.1-7.1l.3.4.3-.4A5 5 0 0 1 19.4 13z"/></svg></button>'
    )


def card_heart(scored: ScoredDesign, kept: Kept) -> str:
    """The heart of a candidate's card; "" for one that is not in the store."""
    design = dict(kept.ids).get(scored.design.index)
    if design is None:
        return ""
    return heart_html(design, design in kept.favourites, texts.candidate(scored.design.index + 1))


def grid_html(library: Library, found: Sequence[DesignRecord], total: int, *, empty: str) -> str:
    """Designs as tiles."""
    if not found:
        return f'<div class="fd-empty"><p>{escape(empty)}</p></div>'
    tiles = "".join(_tile(library, one) for one in found)
    count = f'<p class="fd-found">{escape(boardtexts.found(len(found), total))}</p>'
    return f'{count}<ol class="fd-grid">{tiles}</ol>'


def _tile(library: Library, one: DesignRecord) -> str:
    request, name = one.request, f"{boardtexts.place(one.rank)}, {one.request.prompt}"
    compare = (
        f'<label class="fd-mark"><input type="checkbox" data-design="{one.id}" '
        f'aria-label="{escape(boardtexts.COMPARE)} {escape(name)}">{escape(boardtexts.COMPARE)}</label>'
    )
    return (
        f'<li class="fd-kept" data-design="{one.id}"><button type="button" class="fd-open" '
        f'aria-label="{escape(boardtexts.DETAILS)} {escape(name)}">{_picture(library, one, request.prompt)}</button>'
        f'<div class="fd-line"><b>{escape(boardtexts.place(one.rank))}</b><span>{escape(request.week)}</span>'
        f"{heart_html(one.id, one.favourite, name)}</div>"
        f'<p title="{escape(request.prompt)}">{escape(request.prompt)}</p>{compare}</li>'
    )


def _picture(library: Library, one: DesignRecord, alt: str) -> str:
    """A small picture, or what is wrong with its file: one damaged picture must not hide the others."""
    try:
        url = _small(library.png(one))
    except StudioError as error:
        return f"<em>{escape(str(error))}</em>"
    return f'<img src="{url}" alt="{escape(alt)}" width="240" height="320" loading="lazy">'


@lru_cache(maxsize=1000)
def _small(data: bytes) -> str:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture.thumbnail((TILE_HEIGHT, TILE_HEIGHT), Image.Resampling.LANCZOS)
    return jpeg_url(np.asarray(picture), quality=85)


def details_html(library: Library, one: DesignRecord) -> str:
    """The picture at full size and all that is known of it."""
    request = one.request
    facts = {
        texts.CATEGORY: texts.CATEGORIES[request.category],
        texts.WEEK: request.week,
        texts.SEED: str(request.seed),
        texts.COMBINED: f"{one.combined:.3f} ({boardtexts.place(one.rank)})",
        texts.CLIP_I: f"{one.clip_i:.3f}",
        texts.CLIP_T: f"{one.clip_t:.3f}",
    }
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    data = library.png(one)
    url = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
    file = f"{request.category}_{request.week}_seed{request.seed}_candidate{one.candidate + 1}.png"
    made = f"{boardtexts.KINDS[request.kind]}, {boardtexts.when(request.created)}"
    return (
        f'<article class="fd-details" data-design="{one.id}"><img src="{url}" alt="{escape(request.prompt)}" '
        f'width="384" height="512"><p>{escape(request.prompt)}</p><dl>{rows}</dl><p class="fd-made">{escape(made)}</p>'
        f'<a class="fd-save" href="{url}" download="{escape(file)}">{escape(boardtexts.SAVE)}</a></article>'
    )


def nothing_chosen_html() -> str:
    """In the place of details."""
    return f'<div class="fd-empty fd-choose"><p>{escape(boardtexts.CHOOSE)}</p></div>'


def compare_html(library: Library, pair: Sequence[DesignRecord], *, closes: bool = False) -> str:
    """Two designs over each other with a rail between them, and side by side; `closes`: with a button that ends it."""
    sides = [(_url(library, one), f"{boardtexts.place(one.rank)}, {one.request.week}", one) for one in pair]
    figures = "".join(
        f'<figure data-design="{one.id}"><img src="{url}" alt="{escape(one.request.prompt)}" width="384" height="512">'
        f"<figcaption><b>{escape(place)}</b> {escape(one.request.prompt)} <small>{one.combined:.3f}</small>"
        "</figcaption></figure>"
        for url, place, one in sides
    )
    close = (
        f'<button type="button" class="fd-close" data-close aria-label="{escape(cardtexts.CLOSE_COMPARISON)}" '
        f'title="{escape(cardtexts.CLOSE_COMPARISON)}">\u00d7</button>'
    )
    layers = "".join(f'<img src="{url}" alt="" width="384" height="512">' for url, _, _ in sides)
    return (
        f'<section class="fd-compare">{close if closes else ""}'
        f'<div class="fd-pair"><h3>{escape(boardtexts.SIDE_BY_SIDE)}</h3>{figures}</div>'
        f'<div class="fd-over"><h3>{escape(boardtexts.SLIDER)}</h3><div class="fd-seam">{layers}</div>'
        f'<input type="range" min="0" max="100" value="50" aria-label="{escape(boardtexts.SLIDE)}"></div></section>'
    )


def strip_html(library: Library, found: Sequence[DesignRecord], *, total: int, running: bool) -> str:
    """One design a week, from left to right."""
    figures = "".join(
        f'<figure data-week="{escape(one.request.week)}">{_picture(library, one, one.request.prompt)}<figcaption><b>'
        f"{escape(one.request.week)}</b> {escape(one.request.prompt)} <small>{one.combined:.3f}</small></figcaption>"
        "</figure>"
        for one in found
    )
    done = f'<p role="status">{escape(boardtexts.weeks_done(len(found), total))}</p>' if running else ""
    title = f"<h3>{escape(boardtexts.STRIP)}</h3>"
    return f'<section class="fd-strip">{title}<div>{figures}</div>{done}</section>'


def line_html(words: str) -> str:
    """A quiet line."""
    return f'<p class="fd-quiet" role="status">{escape(words)}</p>'


def _url(library: Library, one: DesignRecord) -> str:
    with Image.open(io.BytesIO(library.png(one))) as picture:
        return jpeg_url(np.asarray(picture.convert("RGB")))

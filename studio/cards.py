"""HTML of the page's own parts: bestsellers, status, candidate cards, messages.

In: dataclasses of `state`. Out: HTML; every word that came from data or from a visitor is escaped. Knows nothing of
gradio. The looks are in static/studio.css.
"""

from __future__ import annotations

from html import escape

from fashiondistill.design import ScoredDesign
from studio import drawertexts, texts
from studio.cardtools import Handles, card_handles, kept_handles
from studio.library import NOTHING_KEPT, Kept
from studio.pictures import download_name, jpeg_url, png_url
from studio.singles import Frame
from studio.state import BestsellerTile, LikeGarment, PageContext, ResultsView, Why


def header_html() -> str:
    """Name of the studio and what it is for."""
    return f'<header class="fd-head"><h1>{escape(texts.TITLE)}</h1><p>{escape(texts.TAGLINE)}</p></header>'


def headline_html(context: PageContext) -> str:
    """What moved in the week."""
    return f'<p class="fd-headline">{escape(context.headline)}</p>'


def bestsellers_html(context: PageContext) -> str:
    """The week's bestsellers as pictures with the units sold."""
    title = f'<h2 class="fd-label">{escape(texts.BESTSELLERS)}</h2>'
    return f'<section class="fd-bestsellers">{title}{_tiles(context.bestsellers, underlay=True)}</section>'


def drawer_html(title: str, shown: tuple[BestsellerTile, ...], *, note: str = "", none: str = "") -> str:
    """Articles as pictures with the units sold, or what `none` says, under a heading that folds them away."""
    found = _tiles(shown, take=True) if shown else f"<p>{escape(none or texts.NO_BESTSELLERS)}</p>"
    said = f'<p class="fd-note">{escape(note)}</p>' if note else ""
    return f'<details class="fd-bestsellers fd-drawer" open><summary>{escape(title)}</summary>{said}{found}</details>'


def _tiles(shown: tuple[BestsellerTile, ...], *, underlay: bool = False, take: bool = False) -> str:
    tiles = "".join(
        f'<li title="{escape(tile.name)}: {escape(tile.caption)}" data-article="{escape(tile.article_id)}">'
        f'<span class="fd-tile">{_tile_picture(tile)}<b>{tile.rank}</b>'
        f"{_underlay_button(tile) if underlay and tile.picture else ''}</span>"
        f"<strong>{escape(tile.name)}</strong><small>{escape(drawertexts.sold(tile.units, tile.share))}</small>"
        f"{_leads(tile)}{_take_buttons(tile) if take else ''}</li>"
        for tile in shown
    )
    return f"<ol>{tiles}</ol>"


def _leads(tile: BestsellerTile) -> str:
    return f'<small class="fd-leads">{escape(drawertexts.LEADS)}</small>' if tile.leads else ""


def status_html(view: ResultsView) -> str:
    """One line on where the request stands, with a bar while drawing."""
    match view.phase:
        case "running" if view.waiting is not None:
            return _status("running", texts.waiting(view.waiting.ahead, view.waiting.seconds))
        case "running" if view.progress is not None:
            p = view.progress
            words = texts.STARTING
            if p.step:
                last = p.candidate + p.together - 1
                words = texts.progress(p.candidate, last, p.num_candidates, p.step, p.total_steps)
            return _status("running", words, p.fraction)
        case "ranked":
            assert view.request is not None
            return _status("ranked", texts.ranked(len(view.designs), view.seconds, view.request.seed))
        case "cancelled":
            return _status("cancelled", texts.CANCELLED)
        case _:
            return _status("idle", texts.IDLE)


def message_html(words: str, *, phase: str = "failed", fraction: float | None = None) -> str:
    """What went wrong and what to do, in the place of the status; with a bar for `fraction`, 0 to 1."""
    return _status(phase, words, fraction)


def results_html(view: ResultsView, *, model: str, kept: Kept = NOTHING_KEPT) -> str:
    """The candidates as cards, with hearts on those that are kept; places stand ready for those still to come."""
    if view.phase == "idle":
        return (
            f'<div class="fd-empty"><p><strong>{escape(texts.EMPTY_RESULTS)}</strong>'
            f"{escape(texts.EMPTY_RESULTS_MORE)}</p></div>"
        )
    names, ranked = dict(view.article_names), view.phase == "ranked"
    origin = {"model": model, "references": view.references}
    whys = view.whys or (None,) * len(view.designs)
    cards = [
        _card(
            one, origin, names=names, badge=_badge(one, ranked=ranked), why=why, handles=card_handles(one, kept, view)
        )
        for one, why in zip(view.designs, whys, strict=True)
    ]
    if view.phase == "running":
        cards += [_pending(number + 1) for number in range(len(view.designs), view.num_expected)]
    weight = view.request.config.clip_i_weight if view.request else 0.0
    rail = _weight(weight) if ranked and len(cards) > 1 else ""
    style = f"--clip-i-weight: {weight:g}"
    return f'{rail}<div class="fd-cards" data-count="{len(cards)}" style="{style}">{"".join(cards)}</div>'


def _weight(clip_i_weight: float) -> str:
    """The rail that orders the cards anew; `static/ranking.js` listens to it."""
    said = escape(texts.ranked_by(clip_i_weight, 1 - clip_i_weight))
    return (
        f'<div class="fd-weight"><label for="fd-weight">{escape(texts.RANK_BY)}</label>'
        f"<span>{escape(texts.RANK_BY_WORDS)}</span>"
        f'<input id="fd-weight" type="range" min="0" max="1" step="0.05" value="{clip_i_weight:g}"'
        f' data-start="{clip_i_weight:g}" aria-valuetext="{said}">'
        f'<span>{escape(texts.RANK_BY_SALES)}</span><output for="fd-weight">{said}</output></div>'
    )


def live_html(scored: ScoredDesign) -> str:
    """The live preview's picture."""
    alt = escape(f"{texts.LIVE}: {scored.design.request.prompt}")
    return f'<img class="fd-live-picture" src="{jpeg_url(scored.design.image)}" alt="{alt}" width="384" height="512">'


def live_words_html(words: str) -> str:
    """What stands beside the live preview."""
    return f'<h2 class="fd-label">{escape(texts.LIVE)}</h2><p class="fd-live-words" role="status">{escape(words)}</p>'


def kept_html(frames: tuple[Frame, ...], *, names: dict[str, str]) -> str:
    """Frames that were kept from Live, in the order given; `names` as `ResultsView.article_names`."""
    if not frames:
        return ""
    cards = "".join(
        _card(
            one.scored,
            {"model": one.model},
            names=names,
            badge=texts.KEPT,
            why=None,
            handles=kept_handles(one, number),
            place="-kept",
        )
        for number, one in enumerate(frames, start=1)
    )
    style = f"--clip-i-weight: {frames[0].scored.design.request.config.clip_i_weight:g}"
    return f'<h2 class="fd-label">{escape(texts.KEPT_TITLE)}</h2><div class="fd-cards" style="{style}">{cards}</div>'


def _underlay_button(tile: BestsellerTile) -> str:
    """Lays the bestseller under the paper; static/canvas_panel.js listens for it."""
    label = f"{escape(texts.UNDERLAY)}: {escape(tile.name)}"
    return (
        f'<button type="button" class="fd-lay" data-underlay="{escape(tile.article_id)}" aria-label="{label}" '
        f'title="{escape(texts.UNDERLAY)}"><svg viewBox="0 0 24 24" aria-hidden="true">'
        '<path d="M12 4l8 4.5-8 4.5-8-4.5zM4 13.5l8 4.5 8-4.5"/></svg></button>'
    )


def _take_buttons(tile: BestsellerTile) -> str:
    """What can be done with a garment behind a plot; static/drawer.js listens for it."""
    offered = {"prompt": drawertexts.USE} | ({"trace": drawertexts.TRACE} if tile.picture else {})
    return "".join(
        f'<button type="button" class="fd-take" data-take="{how}" aria-label="{escape(words)}: {escape(tile.name)}">'
        f"{escape(words)}</button>"
        for how, words in offered.items()
    )


def _tile_picture(tile: BestsellerTile) -> str:
    if not tile.picture:
        return f"<em>{escape(texts.NO_PICTURE)}</em>"
    return f'<img src="{escape(tile.picture)}" alt="{escape(tile.caption)}">'


def _status(phase: str, words: str, fraction: float | None = None) -> str:
    bar = "" if fraction is None else f'<progress max="1" value="{fraction:.3f}"></progress>'
    role = "alert" if phase == "failed" else "status"
    return f'<div class="fd-state" data-phase="{escape(phase)}" role="{role}"><p>{escape(words)}</p>{bar}</div>'


def _badge(scored: ScoredDesign, *, ranked: bool) -> str:
    return texts.rank_badge(scored.rank) if ranked and scored.rank else texts.candidate(scored.design.index + 1)


def _card(
    scored: ScoredDesign,
    origin: dict,
    *,
    names: dict[str, str],
    badge: str,
    why: Why | None,
    handles: Handles,
    place: str = "",
) -> str:
    """`origin`: keyword arguments of `png_url`; `place`: tells ids of a list from those of another."""
    request, number = scored.design.request, scored.design.index + 1
    picture = jpeg_url(scored.design.image)
    key = f"fd-large{place}-{request.seed}-{number}"
    alt = escape(f"{texts.candidate(number)}: {request.prompt}")
    nearest = texts.nearest(names.get(scored.nearest_article_id, scored.nearest_article_id))
    help_combined = texts.ranked_by(request.config.clip_i_weight, request.config.clip_t_weight)
    scores = (
        _score(texts.COMBINED, scored.combined, help_combined, kind="combined")
        + _score(texts.CLIP_I, scored.clip_i, texts.CLIP_I_HELP, kind="image")
        + _score(texts.CLIP_T, scored.clip_t, texts.CLIP_T_HELP, kind="text")
    )
    url, name = png_url(scored, **origin), download_name(scored)
    save = f'<a class="fd-save" href="{url}" download="{escape(name)}">{escape(texts.DOWNLOAD)}</a>'
    terms = f'data-clip-i="{scored.clip_i:.6f}" data-clip-t="{scored.clip_t:.6f}"'
    bars = f"--clip-i: {_length(scored.clip_i)}; --clip-t: {_length(scored.clip_t)}"
    return (
        f'<article class="design-card" data-rank="{scored.rank}" data-candidate="{number}" {terms} style="{bars}">'
        f'<button type="button" class="fd-picture" popovertarget="{key}" aria-label="{escape(texts.ENLARGE)} {alt}">'
        f'<img src="{picture}" alt="{alt}" width="384" height="512"></button>'
        f'<div class="fd-facts"><div class="fd-top"><p class="fd-badge">{escape(badge)}</p>{handles.heart}</div>'
        f'<dl>{scores}</dl><p class="fd-nearest">{escape(nearest)}</p>{_repaint_button(alt)}{save}</div>'
        f"{handles.tools}{_why(why) if why is not None else ''}"
        f'<div id="{key}" class="fd-large" popover>'
        f'<button type="button" popovertarget="{key}" popovertargetaction="hide" aria-label="{escape(texts.CLOSE)}">'
        f'<img src="{picture}" alt="{alt}"></button></div></article>'
    )


def _repaint_button(alt: str) -> str:
    """Lays the card's picture under the paper to be repainted in part; static/canvas_panel.js listens for it."""
    words = escape(texts.REPAINT)
    return f'<button type="button" class="fd-repaint" data-repaint aria-label="{words}: {alt}">{words}</button>'


def _score(label: str, value: float, help_text: str, *, kind: str) -> str:
    """One term; the combined one is a bar of two parts, as long as what each term brings in."""
    parts = '<i data-part="image"></i><i data-part="text"></i>' if kind == "combined" else "<i></i>"
    return (
        f'<div class="fd-score" data-kind="{kind}" title="{escape(help_text)}"><dt>{escape(label)}</dt>'
        f'<dd>{value:.3f}</dd><span aria-hidden="true">{parts}</span></div>'
    )


def _length(cosine: float) -> str:
    """Share of a bar, 0 to 1; bars cannot show what is below zero, the figures do."""
    return f"{min(max(cosine, 0.0), 1.0):.4f}"


def _why(why: Why) -> str:
    phrases = "".join(
        f"<li{' data-best' if one.best else ''}><span>{escape(one.phrase)}</span><b>{one.score:.3f}</b></li>"
        for one in why.phrases
    )
    words = f'<h3>{escape(texts.WHY_WORDS)}</h3><ul class="fd-phrases">{phrases}</ul>' if phrases else ""
    garments = _garment(texts.WHY_NEAREST, why.nearest)
    if why.closest is not None:
        garments += _garment(texts.WHY_CLOSEST, why.closest)
    warning = f'<p class="fd-warning">{escape(texts.NEAR_COPY)}</p>' if why.near_copy else ""
    followed = escape(texts.strokes_followed(why.stroke_share))
    return (
        f'<details class="fd-why"><summary>{escape(texts.WHY)}</summary><div class="fd-why-parts">'
        f'<figure class="fd-heat"><img src="{why.heat}" alt="{followed}" width="384" height="512">'
        f"<figcaption>{followed}</figcaption></figure>"
        f'<div class="fd-like">{garments}</div>{warning}<div class="fd-words">{words}</div></div></details>'
    )


def _garment(title: str, like: LikeGarment) -> str:
    picture = f'<img src="{like.picture}" alt="">' if like.picture else f"<em>{escape(texts.NO_PICTURE)}</em>"
    similarity = "" if like.similarity is None else f"<small>{escape(texts.similarity(like.similarity))}</small>"
    return f"<figure>{picture}<figcaption>{escape(title)} <b>{escape(like.name)}</b>{similarity}</figcaption></figure>"


def _pending(number: int) -> str:
    return (
        f'<article class="design-card is-pending" data-rank="0" data-candidate="{number}">'
        f'<div class="fd-picture"></div><div class="fd-facts"><p class="fd-badge">{escape(texts.candidate(number))}</p>'
        f'<p class="fd-nearest">{escape(texts.PENDING)}</p></div></article>'
    )

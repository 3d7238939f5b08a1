"""What programs and assistants are answered, as plain JSON values: designs, bestsellers, trends, forecasts, rankings.

In: an engine and untrusted values. Out: dicts. Whatever a caller can get wrong becomes a `StudioError` that names the
field and the remedy. Knows nothing of gradio.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
import reprlib
from pathlib import Path

import numpy as np

from fashiondistill.config import GenerateConfig
from fashiondistill.export import describe
from fashiondistill.images import fit, read_image
from studio import errortexts, texts, trendtexts
from studio.checks import check_category, check_week
from studio.engine import ATTRIBUTES, DesignEngine
from studio.pictures import png_url
from studio.state import PageContext, ResultsView, StudioError

MAX_PICTURES = 24
MAX_BYTES = 20 * 1024 * 1024  # of one picture, as for uploads to the page
DATA_URL = re.compile(r"data:image/(png|jpeg|webp|gif|bmp);base64,")


def ranking_json(view: ResultsView, *, model: str, pictures: bool = True) -> dict:
    """What the API returns for a finished request; `pictures`: with a PNG data URL each."""
    request = view.request
    assert request is not None and view.phase == "ranked", "only a finished request has a ranking"
    origin = {"model": model, "references": view.references}
    designs = [describe(one, **origin) for one in view.designs]
    if pictures:
        designs = [facts | {"image": png_url(one, **origin)} for facts, one in zip(designs, view.designs, strict=True)]
    return {
        "category": request.category,
        "week": request.week,
        "prompt": request.prompt,
        "seed": request.seed,
        "seconds": round(view.seconds, 3),
        "designs": designs,
    }


def bestsellers_json(context: PageContext) -> dict:
    """What the API returns for a category and a week."""
    items = [
        {"article_id": t.article_id, "rank": t.rank, "units": t.units, "name": t.name, "caption": t.caption}
        for t in context.bestsellers
    ]
    return {
        "category": context.category,
        "week": context.week,
        "headline": context.headline,
        "suggested_prompt": context.suggestion,
        "bestsellers": items,
    }


def trends_json(engine: DesignEngine, category: str, attribute: str, week: str) -> dict:
    """What the API returns for an attribute: shares by week and word, and the sentence.

    Raises:
        StudioError: for an unknown category, attribute or week.
    """
    category, week = check_category(category), check_week(engine, week)
    if attribute not in ATTRIBUTES:
        raise StudioError(errortexts.unknown_attribute(attribute))
    shares = engine.shares(category, attribute)
    words = trendtexts.trend_words(shares, week=week, category=category)
    table = {str(key): {word: round(float(v), 5) for word, v in row.items()} for key, row in shares.iterrows()}
    return {"category": category, "attribute": attribute, "week": week, "text": words, "shares": table}


def rank_json(engine: DesignEngine, images: object, category: str, week: str, prompt: str, *, uploads: Path) -> dict:
    """Pictures ranked against a week's bestsellers and, if there are any, words.

    Args:
        images: data URLs, or files that were uploaded before (their path, or a dict with "path").
        uploads: the one folder that paths may lie in.

    Raises:
        StudioError: for a bad picture, category, week or prompt.
    """
    category, week = check_category(category), check_week(engine, week)
    if not isinstance(prompt, str):
        raise StudioError(errortexts.not_text(texts.PROMPT, prompt))
    if not isinstance(images, list) or not 1 <= len(images) <= MAX_PICTURES:
        raise StudioError(errortexts.not_pictures(images, MAX_PICTURES))
    pictures = [_picture(one, f"{texts.PICTURES} {number}", uploads) for number, one in enumerate(images, start=1)]
    sold = engine.bestsellers(category, week)
    if not sold:
        raise StudioError(errortexts.no_sales(week, category))
    try:
        ranked = engine.rank(pictures, category, week, prompt.strip())
    except ValueError as error:
        raise StudioError(errortexts.capital(str(error))) from error
    names = {item.article_id: item.name for item in sold}
    config = GenerateConfig()
    return {
        "category": category,
        "week": week,
        "prompt": prompt.strip(),
        "model": engine.model_id,
        "weights": {"clip_i": config.clip_i_weight, "clip_t": config.clip_t_weight if prompt.strip() else None},
        "ranking": [
            {
                "rank": one.rank,
                "image": one.index + 1,
                "combined": round(one.combined, 4),
                "clip_i": round(one.clip_i, 4),
                "clip_t": None if one.clip_t is None else round(one.clip_t, 4),
                "bestsellers": [
                    {"article_id": article, "name": names.get(article, ""), "similarity": round(cosine, 4)}
                    for article, cosine in one.similarities
                ],
            }
            for one in ranked
        ],
    }


def forecast_json(engine: DesignEngine, category: str, attribute: str, week: str) -> dict:
    """The weeks after `week`, from what was known at its end: shares, next week's top-5 and words, with their errors.

    Raises:
        StudioError: for an unknown category, attribute or week.
    """
    category, week = check_category(category), check_week(engine, week)
    if attribute not in ATTRIBUTES:
        raise StudioError(errortexts.unknown_attribute(attribute))
    facts = engine.trend_facts(category, attribute, week)
    shares, top = facts.forecast, facts.top
    return {
        "category": category,
        "attribute": attribute,
        "week": week,
        "known_until": shares.origin,
        "weeks": list(shares.weeks),
        "shares": [
            {
                "word": one.word,
                "now": _rounded(one.now),
                "mean": [_rounded(v) for v in one.mean],
                "low_80": [_rounded(v) for v in one.low],
                "high_80": [_rounded(v) for v in one.high],
                "method": one.method,
            }
            for one in shares.words
        ],
        "backtest": _plain(shares.quality),
        "bestsellers": None if top is None else _plain(top),
        "description": {"week": facts.description.week, "text": facts.description.text},
    }


def _picture(given: object, label: str, uploads: Path) -> np.ndarray:
    """uint8 [512, 384, 3], fitted on the ground."""
    path = given.get("path") if isinstance(given, dict) else given
    if not isinstance(path, str):
        raise StudioError(errortexts.not_a_picture(label, reprlib.repr(given)))
    opening = DATA_URL.match(path)
    if opening:
        if len(path) > MAX_BYTES * 4 // 3:
            raise StudioError(errortexts.picture_too_large(label, MAX_BYTES // 2**20))
        try:
            source: bytes | Path = base64.b64decode(path[opening.end() :], validate=True)
        except (binascii.Error, ValueError) as error:
            raise StudioError(errortexts.not_a_picture(label, reprlib.repr(path))) from error
    else:
        source = _uploaded(path, label, uploads)
    try:
        return fit(np.asarray(read_image(source, field=label)))
    except (ValueError, FileNotFoundError) as error:
        hidden = str(source) if isinstance(source, Path) else "the upload"  # no path of the server in a message
        raise StudioError(str(error).replace(hidden, "the upload")) from error


def _uploaded(path: str, label: str, uploads: Path) -> Path:
    """A path below the folder of uploads; any other would let strangers read this machine's files."""
    if "\0" not in path and len(path) < 1024:
        found = Path(path).resolve()
        if found.is_relative_to(uploads.resolve()) and found.is_file():
            return found
    raise StudioError(errortexts.not_a_picture(label, reprlib.repr(path)))


def _plain(value: object) -> dict:
    return {key: _rounded(each) for key, each in dataclasses.asdict(value).items()}


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    if isinstance(value, float | np.floating):
        return round(float(value), 5) if np.isfinite(value) else None
    return value

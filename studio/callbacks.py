"""What the page does: plain functions and generators from typed inputs to typed outputs.

In: a `DesignEngine` (or anything with its methods) and what the visitor gave. Out: dataclasses of `state`. Whatever a
visitor can get wrong becomes a `StudioError` that names the field and the remedy. Knows nothing of gradio or HTML.
"""

from __future__ import annotations

import base64
import math
import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from fashiondistill.config import GenerateConfig
from fashiondistill.data.categories import get_category
from fashiondistill.data.photos import lines_from_photo
from fashiondistill.data.weeks import Week
from fashiondistill.design import DesignRequest, ScoredDesign
from fashiondistill.export import describe, png_bytes
from fashiondistill.images import read_image, sketch_from_edge_map
from studio import errortexts, texts
from studio.canvas import decode_canvas, decode_mask, decode_picture, encode_canvas
from studio.engine import ATTRIBUTES, CandidateReady, DesignEngine, Ranked, StepDone
from studio.pictures import tile_picture
from studio.state import BestsellerTile, GenerateInputs, PageContext, Progress, ResultsView, Stop, StudioError
from studio.turns import LineFull, Turn
from studio.why import tell_why

MAX_SHOWN_SEED = 10**6  # seeds that we pick are short enough to read out; any up to 2**32 - 1 can be typed
WEEKS_BACK = 4  # span over which the trend sentence measures change
POLL = 0.5  # seconds after which a request that waits says anew where it stands, or sees that it was cancelled
UNCHANGED = 1.0  # strokes' difference, summed over the canvas, below which a sketch still is the template


def page_context(engine: DesignEngine, category: str, week: str) -> PageContext:
    """Bestsellers, headline and suggested prompt of a category and a week.

    Raises:
        StudioError: for an unknown category or week, or a product picture that is damaged.
    """
    category, week = check_category(category), check_week(engine, week)
    try:
        tiles = tuple(
            BestsellerTile(item.article_id, item.rank, item.units, item.name, item.caption, tile_picture(item.image))
            for item in engine.bestsellers(category, week)
        )
    except ValueError as error:
        raise StudioError(capital(str(error))) from error
    if not tiles:
        return PageContext(category, week, texts.NO_BESTSELLERS, (), "")
    prompt = engine.trend_prompt(category, week)
    return PageContext(category, week, engine.headline(category, week), tiles, prompt.text, prompt.phrases)


def check_category(category: str) -> str:
    """The category's folder name, or StudioError."""
    if not isinstance(category, str):
        raise StudioError(errortexts.not_text(texts.CATEGORY, category))
    try:
        return get_category(category).folder
    except ValueError as error:
        raise StudioError(capital(str(error))) from error


def check_week(engine: DesignEngine, week: str) -> str:
    """The week's key, if there are sales data of it, or StudioError."""
    if not isinstance(week, str):
        raise StudioError(errortexts.not_text(texts.WEEK, week))
    try:
        parsed = Week.parse(week)
    except ValueError as error:
        raise StudioError(capital(str(error))) from error
    if parsed not in engine.weeks:
        raise StudioError(errortexts.no_such_week(parsed.key, engine.weeks[0].key, engine.weeks[-1].key))
    return parsed.key


def template(engine: DesignEngine, category: str) -> str:
    """The category's silhouette as the canvas's value."""
    return encode_canvas(engine.template(check_category(category)))


def still_template(engine: DesignEngine, category: str, value: str | None) -> bool:
    """Whether the canvas is empty or shows the untouched template of `category`, so that it may be replaced."""
    sketch = read_sketch(value)
    return not sketch.any() or float(np.abs(sketch - engine.template(check_category(category))).sum()) < UNCHANGED


def read_sketch(value: str | None) -> np.ndarray:
    """The canvas's value as float32 [512, 384], or StudioError."""
    try:
        return decode_canvas(value)
    except ValueError as error:
        raise StudioError(capital(str(error))) from error


def read_repaint(inputs: GenerateInputs) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """The picture to repaint (uint8 [512, 384, 3]) and where (float32 [512, 384], 1 = repaint), or neither.

    Raises:
        StudioError: if one of the two lacks the other, or either cannot be read.
    """
    try:
        image, mask = decode_picture(inputs.image), decode_mask(inputs.mask)
    except ValueError as error:
        raise StudioError(capital(str(error))) from error
    if image is None and mask is None:
        return None, None
    if image is None:
        raise StudioError(texts.MASK_WITHOUT_PICTURE)
    if mask is None:
        raise StudioError(texts.PICTURE_WITHOUT_MASK)
    return image, mask


def sketch_from_edge_map_file(upload: str | bytes | None) -> str:
    """Uploaded edge map of either polarity -> the canvas's value."""
    image = _read_upload(upload, texts.EDGE_MAP)
    try:
        return encode_canvas(sketch_from_edge_map(image))
    except ValueError as error:
        raise StudioError(capital(str(error))) from error


def sketch_from_photo_file(upload: str | bytes | None) -> str:
    """Uploaded photo of one garment -> its lines as the canvas's value."""
    image = _read_upload(upload, texts.PHOTO)
    try:
        return encode_canvas(lines_from_photo(image))
    except ValueError as error:
        raise StudioError(capital(str(error))) from error


def pick_seed() -> int:
    """A new seed, short enough to read out."""
    return secrets.randbelow(MAX_SHOWN_SEED)


def check_request(engine: DesignEngine, inputs: GenerateInputs) -> DesignRequest:
    """Inputs of the page or the API -> a request that the engine takes.

    Raises:
        StudioError: naming the first field that is wrong.
    """
    category, week = check_category(inputs.category), check_week(engine, inputs.week)
    if not isinstance(inputs.prompt, str):
        raise StudioError(errortexts.not_text(texts.PROMPT, inputs.prompt))
    sketch = read_sketch(inputs.sketch)
    image, mask = read_repaint(inputs)
    numbers = {
        name: _number(getattr(inputs, name), label, whole=name.startswith("num_"))
        for name, label in texts.setting_labels().items()
    }
    seed = _number(inputs.seed, texts.SEED, whole=True)
    try:
        config = GenerateConfig(**numbers)
    except ValueError as error:
        raise StudioError(_without_flags(str(error))) from error
    try:
        request = DesignRequest(category, week, inputs.prompt.strip(), sketch, image, mask, seed=seed, config=config)
        engine.check_prompt(request.prompt)
    except ValueError as error:
        raise StudioError(capital(str(error))) from error
    if not engine.bestsellers(category, week):
        raise StudioError(errortexts.no_sales(week, category))
    return request


def run(engine: DesignEngine, inputs: GenerateInputs, stop: Stop | None = None) -> Iterator[ResultsView]:
    """Draw, score and rank; one view per step. Closing the iterator frees the model within one step.

    So does `stop`, whose last view is "cancelled" and holds the designs drawn so far.

    Raises:
        StudioError: for bad input, before anything is drawn; or when the model cannot go on.
    """
    yield from draw(engine, check_request(engine, inputs), stop)


def draw(engine: DesignEngine, request: DesignRequest, stop: Stop | None = None) -> Iterator[ResultsView]:
    """`run`, for a request that has been checked.

    Raises:
        StudioError: when too many requests wait, or the model cannot go on.
    """
    bestsellers = engine.bestsellers(request.category, request.week)
    names = tuple((item.article_id, texts.bestseller(item.rank, item.name)) for item in bestsellers)
    count, steps = request.config.num_candidates, request.config.num_inference_steps
    view = ResultsView(
        "running",
        request=request,
        num_expected=count,
        progress=Progress(1, count, 0, steps),
        article_names=names,
        references=tuple(item.article_id for item in bestsellers if item.image.is_file()),
    )
    try:
        with engine.turns.take(count * max(1, round(steps * request.strength))) as turn:
            patience = 0.0
            while not turn.wait(patience):
                if stop is not None and stop.asked:
                    yield replace(view, phase="cancelled", progress=None)
                    return
                yield replace(view, waiting=turn.waiting(), fresh=not patience)
                patience = POLL
            yield from _drawn(engine, view, turn, stop)
    except LineFull as error:
        raise StudioError(errortexts.line_full(engine.turns.most)) from error


def _drawn(engine: DesignEngine, view: ResultsView, turn: Turn, stop: Stop | None) -> Iterator[ResultsView]:
    """`draw`, once its turn has come."""
    request, started = view.request, time.monotonic()
    assert request is not None
    count = request.config.num_candidates
    yield view
    try:
        with closing(engine.generate(request)) as events:
            for event in events:
                view = replace(view, fresh=not isinstance(event, StepDone), seconds=time.monotonic() - started)
                match event:
                    case StepDone(candidate, step, total_steps, together):
                        ready = len(view.designs)
                        progress = Progress(candidate + 1, count, step, total_steps, together, ready)
                        view = replace(view, progress=progress)
                        turn.done(candidate * total_steps + step * together, count * total_steps)
                    case CandidateReady(scored):
                        designs = (*view.designs, scored)
                        progress = replace(view.progress, num_ready=len(designs))
                        view = replace(view, designs=designs, progress=progress)
                    case Ranked(designs, explanations):
                        whys = tell_why(engine, request, designs, explanations)
                        view = replace(view, phase="ranked", designs=designs, progress=None, whys=whys)
                        turn.finished()
                if stop is not None and stop.asked and view.phase == "running":
                    yield replace(view, phase="cancelled", progress=None, fresh=True)
                    return
                yield view
    except (ValueError, FileNotFoundError, MemoryError) as error:
        raise StudioError(capital(str(error))) from error


def download_name(scored: ScoredDesign) -> str:
    """File name of a design: says what it is and sorts by rank, or by arrival where nothing was ranked."""
    request = scored.design.request
    place = f"rank{scored.rank}" if scored.rank else f"candidate{scored.design.index + 1}"
    return f"{request.category}_{request.week}_seed{request.seed}_{place}.png"


def png_url(scored: ScoredDesign, *, model: str, references: tuple[str, ...] = ()) -> str:
    """Data URL of the PNG with everything that made it inside."""
    data = png_bytes(scored, model=model, references=references)
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


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
    words = trend_words(shares, week=week, category=category)
    table = {str(key): {word: round(float(v), 5) for word, v in row.items()} for key, row in shares.iterrows()}
    return {"category": category, "attribute": attribute, "week": week, "text": words, "shares": table}


def trend_words(shares, *, week: str, category: str) -> str:  # noqa: ANN001 - DataFrame; pandas stays with the library
    """The leader of the week, and the word that gained most over `WEEKS_BACK` weeks; `category` is the folder name."""
    if week not in shares.index:
        return texts.NO_BESTSELLERS
    now = shares.loc[week].fillna(0.0)
    leader = now.idxmax()
    before = Week.parse(week).shift(-WEEKS_BACK).key
    if before not in shares.index:
        return texts.trend_sentence(
            word=leader, share=now[leader], change=None, since=before, category=category, week=week
        )
    change = now - shares.loc[before].fillna(0.0)
    riser = change.idxmax()
    sentence = texts.trend_sentence(
        word=leader, share=now[leader], change=change[leader], since=before, category=category, week=week
    )
    if riser == leader or round(change[riser] * 100) < 1:
        return sentence
    return f"{sentence} {texts.riser_sentence(word=riser, change=change[riser], since=before)}"


def _read_upload(upload: str | bytes | None, label: str) -> np.ndarray:
    if not upload:
        raise StudioError(errortexts.no_upload(label))
    try:
        return np.asarray(read_image(Path(upload) if isinstance(upload, str) else upload, field=label))
    except (ValueError, FileNotFoundError) as error:
        raise StudioError(
            str(error).replace(str(upload), "the upload") if isinstance(upload, str) else str(error)
        ) from error


def _number(value: object, label: str, *, whole: bool) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        raise StudioError(errortexts.not_a_number(label, value))
    if whole and value != int(value):
        raise StudioError(errortexts.not_whole(label, value))
    return int(value) if whole else value


def _without_flags(message: str) -> str:
    """ "--num_candidates 9 is not usable: ..." -> "Candidates: 9 is not usable: ..."."""
    for name, label in texts.setting_labels().items():
        message = message.replace(f"--{name} ", f"{label}: ")
    return message


def capital(message: str) -> str:
    """The message as a sentence of the page."""
    return message[:1].upper() + message[1:]

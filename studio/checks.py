"""What a visitor gave, checked: fields of the page, values of the API and uploads.

In: untrusted values, and a `DesignEngine` that knows categories, weeks and limits. Out: values that the engine takes.
Whatever is wrong becomes a `StudioError` that names the field and the remedy. Knows nothing of gradio or HTML.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from fashiondistill.config import GenerateConfig
from fashiondistill.data.categories import get_category
from fashiondistill.data.weeks import Week
from fashiondistill.design import DesignRequest
from fashiondistill.images import read_image
from studio import errortexts, texts
from studio.canvas import decode_canvas, decode_mask, decode_picture
from studio.engine import DesignEngine
from studio.errortexts import capital
from studio.state import GenerateInputs, StudioError


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


def read_upload(upload: str | bytes | None, label: str) -> np.ndarray:
    """An uploaded picture, path or bytes, as uint8 [H, W, 3], or StudioError; `label`: what the page calls it."""
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

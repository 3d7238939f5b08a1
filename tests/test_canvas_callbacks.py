"""What the canvas asks of Python, without a page: repaint area and picture in a request, lines of a picture, Live."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fashiondistill.config import DrawingDefaults, StudioConfig
from fashiondistill.design import Design, DesignRequest
from fashiondistill.diffusion.pipeline import StepDone
from studio import callbacks, cards, checks, live, texts, underlay
from studio.canvas import decode_canvas, decode_picture, encode_canvas, encode_picture
from studio.engine import DesignEngine
from studio.state import GenerateInputs, StudioError
from tests.fake_engine import FakeEngine

CATEGORY, WEEK = "top5gub", "2020-W10"


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    return FakeEngine(tmp_path)


@pytest.fixture
def inputs(engine: FakeEngine) -> GenerateInputs:
    return GenerateInputs(CATEGORY, WEEK, "navy striped shirt", callbacks.template(engine, CATEGORY), 4, 3, 2.0, 1.0, 7)


def marked() -> np.ndarray:
    mask = np.zeros((512, 384), np.float32)
    mask[100:200, 250:350] = 1
    return mask


def mask_url(mask: np.ndarray) -> str:
    return encode_canvas(1 - mask)  # the canvas's value is dark on white, a mask is white where to repaint


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (512, 384, 3), np.uint8)


def test_requests_without_a_picture_are_as_before(engine, inputs):
    request = checks.check_request(engine, inputs)
    assert request.mask is None and request.image is None
    empty = checks.check_request(engine, replace(inputs, mask="", image=""))
    assert empty.mask is None and empty.image is None


def test_mask_and_picture_reach_the_request(engine, inputs):
    given = replace(inputs, mask=mask_url(marked()), image=encode_picture(picture()))
    request = checks.check_request(engine, given)
    assert np.array_equal(request.mask, marked()) and np.array_equal(request.image, picture())
    designs = list(callbacks.run(engine, given))[-1].designs
    outside = marked() == 0
    assert all(np.array_equal(one.design.image[outside], picture()[outside]) for one in designs)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mask": mask_url(marked())}, texts.MASK_WITHOUT_PICTURE),
        ({"image": encode_picture(picture())}, texts.PICTURE_WITHOUT_MASK),
        ({"image": encode_picture(picture()), "mask": mask_url(marked() * 0)}, "Repaint area: nothing is marked"),
        ({"image": encode_picture(picture()[:, :300]), "mask": mask_url(marked())}, "Picture to repaint: it has 300 x"),
        (
            {"image": encode_picture(picture()), "mask": encode_picture(picture()[:90, :80])},
            "Repaint area: it has 80 x",
        ),
        ({"image": 5, "mask": mask_url(marked())}, "Picture to repaint: the value opens with 'int'"),
        ({"image": encode_picture(picture()), "mask": "x"}, "Repaint area: the value opens with 'x'"),
    ],
)
def test_what_is_wrong_with_a_repaint_is_said(engine, inputs, changes, says):
    with pytest.raises(StudioError) as caught:
        checks.check_request(engine, replace(inputs, **changes))
    assert says in str(caught.value)


def test_lines_of_a_picture_stay_at_their_place(engine):
    garment = np.full((512, 384, 3), 246, np.uint8)
    garment[60:200, 40:160] = (150, 30, 40)  # small and in a corner: lines_from_photo would centre and enlarge it
    rows, columns = np.nonzero(decode_canvas(underlay.trace_picture(encode_picture(garment))) > 0.5)
    assert abs(rows.min() - 60) <= 4 and abs(rows.max() - 199) <= 4
    assert abs(columns.min() - 40) <= 4 and abs(columns.max() - 159) <= 4


@pytest.mark.parametrize(("value", "says"), [(None, "no file arrived"), ("x", "PNG data URL"), (7, "opens with 'int'")])
def test_what_cannot_be_traced_is_said(value, says):
    with pytest.raises(StudioError, match=says):
        underlay.trace_picture(value)


def test_a_flat_picture_has_no_lines():
    with pytest.raises(StudioError, match="no garment stands out"):
        underlay.trace_picture(encode_picture(np.full((512, 384, 3), 246, np.uint8)))


def test_a_bestseller_comes_in_the_papers_size(engine):
    item = engine.bestsellers(CATEGORY, WEEK)[1]
    url, name = underlay.bestseller_picture(engine, CATEGORY, WEEK, item.article_id)
    assert decode_picture(url).shape == (512, 384, 3) and name == texts.bestseller(2, item.name)
    for article in ("999", None, {"a": 1}):
        with pytest.raises(StudioError, match="has no picture in this week"):
            underlay.bestseller_picture(engine, CATEGORY, WEEK, article)


def test_live_draws_one_quick_candidate(engine, inputs):
    frame = live.draw(engine, inputs)
    assert frame.design.request.config.num_inference_steps == DrawingDefaults().live_steps
    assert frame.design.request.config.num_candidates == 1 and frame.design.request.seed == inputs.seed
    assert texts.LIVE in cards.live_html(frame)


def test_live_stands_aside_while_generate_has_the_model(engine, inputs):
    views = callbacks.run(engine, inputs)
    next(views)
    next(views)  # the first step is done: the model is taken
    assert live.draw(engine, inputs) is None
    views.close()
    assert live.draw(engine, inputs) is not None


def test_live_says_what_is_wrong(engine, inputs):
    with pytest.raises(StudioError, match="[Pp]rompt"):
        live.draw(engine, replace(inputs, prompt=""))
    engine.fail_with = MemoryError("the model's device ran out of memory.")
    with pytest.raises(StudioError, match="ran out of memory"):
        live.draw(engine, inputs)


def test_live_is_not_offered_where_compute_is_metered(monkeypatch):
    assert live.is_offered()
    monkeypatch.setenv(live.METERED, "true")
    assert not live.is_offered()


class SlowPipeline:
    """A pipeline of 20 steps; `paused` stands in its third one until `go` is set."""

    def __init__(self) -> None:
        self.paused, self.go, self.num_steps, self.trend = threading.Event(), threading.Event(), 0, None

    def check_prompt(self, prompt: str) -> None:
        pass

    def stream(self, request: DesignRequest, past: None = None):
        for step in range(1, 21):
            self.num_steps += 1
            if step == 3:
                self.paused.set()
                assert self.go.wait(10)
            yield StepDone(0, step, 20)
        yield Design(np.zeros((512, 384, 3), np.uint8), 0, request)


@pytest.fixture
def real_engine(monkeypatch):
    """The real engine's turns, on a pipeline that can be halted and without CLIP."""
    monkeypatch.setattr("fashiondistill.scoring.score_embedded", lambda design, *_: SimpleNamespace(design=design))
    monkeypatch.setattr("fashiondistill.scoring.score_design", lambda design, scorer, references: design)
    monkeypatch.setattr("fashiondistill.scoring.rank_designs", lambda designs: designs)
    monkeypatch.setattr("fashiondistill.explain.explain", lambda designs, pictures, scorer, known: ())
    scorer = SimpleNamespace(embed_images=np.stack, embed_texts=list)
    engine = DesignEngine(StudioConfig(), shop=None, pipeline=SlowPipeline(), scorer=scorer, model_id="slow")
    engine.embedded = SimpleNamespace(references=lambda category, week: None, known=lambda category: None)
    return engine


def test_generate_gets_the_model_from_live_within_a_step(real_engine, engine, inputs):
    request = checks.check_request(engine, inputs)
    pipeline, answers = real_engine.pipeline, []
    thread = threading.Thread(target=lambda: answers.append(real_engine.draw_live(request)))
    thread.start()
    assert pipeline.paused.wait(10)
    generating = threading.Thread(target=lambda: answers.append(list(real_engine.generate(request))))
    generating.start()
    while not real_engine._num_waiting:
        time.sleep(0.01)
    pipeline.go.set()
    thread.join(10)
    assert answers[0] is None and pipeline.num_steps <= 4 + 20
    generating.join(10)
    assert len(answers[1]) == 22 and real_engine._num_waiting == 0
    assert real_engine.draw_live(request) is not None  # and the model is free again


def test_live_never_waits_for_generate(real_engine, engine, inputs):
    request = checks.check_request(engine, inputs)
    real_engine.pipeline.go.set()
    events = real_engine.generate(request)
    next(events)
    assert real_engine.draw_live(request) is None
    events.close()
    assert real_engine.draw_live(request) is not None

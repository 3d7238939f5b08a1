"""What the page does without a page: every bad input is a StudioError with field and remedy, and the model is freed."""

from __future__ import annotations

import base64
import io
import json
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fashiondistill.config import GenerateConfig
from fashiondistill.export import CHUNK
from studio import callbacks, cards, checks, pictures, service, texts, trendtexts
from studio.canvas import decode_canvas, encode_canvas
from studio.engine import StepDone
from studio.state import DECODING, GenerateInputs, Progress, ResultsView, Stop, StudioError
from tests.fake_engine import EMPTY, HOSTILE, FakeEngine

CATEGORY, WEEK = "top5gub", "2020-W10"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture
def engine(folder: Path) -> FakeEngine:
    return FakeEngine(folder)


@pytest.fixture
def inputs(engine: FakeEngine) -> GenerateInputs:
    return GenerateInputs(CATEGORY, WEEK, "navy striped shirt", callbacks.template(engine, CATEGORY), 4, 3, 2.0, 1.0, 7)


def png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()


# ---- left column


def test_context_follows_category_and_week(engine):
    context = callbacks.page_context(engine, "top5glb", "2020-week9")
    assert (context.category, context.week) == ("top5glb", "2020-W09")
    assert [tile.rank for tile in context.bestsellers] == [1, 2, 3, 4, 5]
    assert context.suggestion.endswith("lower body garment of week 9") and "2020-W09" in context.headline
    assert context != callbacks.page_context(engine, "top5glb", "2020-W10")
    tile = Image.open(io.BytesIO(base64.b64decode(context.bestsellers[0].picture.split(",")[1])))
    assert tile.format == "JPEG" and tile.height == pictures.TILE_HEIGHT


def test_a_week_without_sales_says_so_and_suggests_nothing(engine):
    context = callbacks.page_context(engine, *EMPTY)
    assert context.bestsellers == () and context.suggestion == ""
    assert "Choose another week" in context.headline


def test_a_bestseller_without_a_picture_keeps_its_place(tmp_path):
    engine = FakeEngine(tmp_path)
    engine.bestsellers(CATEGORY, WEEK)[1].image.unlink()
    engine.write_pictures = False
    context = callbacks.page_context(engine, CATEGORY, WEEK)
    assert [bool(tile.picture) for tile in context.bestsellers] == [True, False, True, True, True]
    assert texts.NO_PICTURE in cards.bestsellers_html(context)


def test_a_damaged_product_picture_is_named(tmp_path):
    engine = FakeEngine(tmp_path)
    path = engine.bestsellers(CATEGORY, WEEK)[1].image
    path.write_bytes(b"no picture")
    with pytest.raises(StudioError, match=rf"^Product picture: .*{path.name} .*Give a PNG"):
        callbacks.page_context(engine, CATEGORY, WEEK)


def test_only_an_untouched_template_may_be_replaced(engine):
    value = callbacks.template(engine, CATEGORY)
    assert callbacks.still_template(engine, CATEGORY, value)
    assert callbacks.still_template(engine, CATEGORY, None) and callbacks.still_template(engine, CATEGORY, "")
    assert not callbacks.still_template(engine, "top5glb", value)
    touched = decode_canvas(value)
    touched[10:12, 10:12] = 1
    assert not callbacks.still_template(engine, CATEGORY, encode_canvas(touched))


# ---- uploads


@pytest.mark.parametrize("ink", [255, 0])
def test_edge_maps_of_either_polarity_become_dark_lines(ink):
    image = np.full((512, 384, 3), 255 - ink, np.uint8)
    image[100:400, 100:103] = ink
    sketch = decode_canvas(callbacks.sketch_from_edge_map_file(png(image)))
    assert sketch[200, 101] == 1 and sketch[:, :90].max() == 0


def test_a_photo_becomes_lines():
    image = np.full((512, 384, 3), 246, np.uint8)
    image[120:420, 110:270] = (30, 40, 90)
    sketch = decode_canvas(callbacks.sketch_from_photo_file(png(image)))
    assert 500 < sketch.sum() < 20_000


FLAT = png(np.full((512, 384, 3), 200, np.uint8))


@pytest.mark.parametrize(
    ("read", "upload", "says"),
    [
        (callbacks.sketch_from_edge_map_file, None, r"^Upload edge map: no file arrived\. Choose a PNG"),
        (callbacks.sketch_from_edge_map_file, b"hello", r"^Upload edge map: the upload is not a picture .* Give a PNG"),
        (callbacks.sketch_from_edge_map_file, FLAT, r"^Edge map: the picture is one flat tone .* Give dark lines"),
        (callbacks.sketch_from_edge_map_file, FLAT[:100], r"^Upload edge map: the upload .*(damaged|not a picture)"),
        (callbacks.sketch_from_photo_file, b"", r"^Photo to lines: no file arrived\. Choose a PNG"),
        (callbacks.sketch_from_photo_file, b"GIF89a", r"^Photo to lines: the upload is not a picture .* Give a PNG"),
        (callbacks.sketch_from_photo_file, FLAT, r"^Photo: no garment stands out .* Use a photo of one garment"),
    ],
)
def test_bad_uploads_name_the_button_and_the_remedy(read, upload, says):
    with pytest.raises(StudioError, match=says):
        read(upload)


def test_messages_never_show_paths_of_the_server(tmp_path):
    path = tmp_path / "secret-folder-notes.txt"
    path.write_text("no picture")
    with pytest.raises(StudioError, match="^Upload edge map: the upload is not a picture") as caught:
        callbacks.sketch_from_edge_map_file(str(path))
    assert "secret-folder" not in str(caught.value)
    with pytest.raises(StudioError) as caught:
        callbacks.sketch_from_edge_map_file(str(tmp_path / "secret-folder-gone.png"))
    assert "secret-folder" not in str(caught.value)


# ---- requests


def test_inputs_become_one_request(engine, inputs):
    request = checks.check_request(engine, replace(inputs, week="2020-week10", prompt="  navy shirt ", seed=7.0))
    assert (request.category, request.week, request.prompt, request.seed) == (CATEGORY, WEEK, "navy shirt", 7)
    assert request.config == GenerateConfig(num_candidates=4, num_inference_steps=3, guidance_scale=2.0)
    assert np.array_equal(request.sketch, engine.template(CATEGORY))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"category": "trousers"}, r"^Category 'trousers' is unknown: choose one of top5gub \(Upper body\)"),
        ({"category": ["top5gub"]}, r"^Category: list is not text\. Give text\."),
        ({"week": "2031-W01"}, r"^Week: '2031-W01' is not in the sales data\. Choose a week from 2019-W40 to 2020-W27"),
        ({"week": "2019-W60"}, r"^Week 2019-W60 does not exist: 2019 has weeks 1 to 52"),
        ({"week": "next"}, r"^Week 'next' is not understood: write it as 2020-W07"),
        ({"week": None}, r"^Week: NoneType is not text"),
        (dict(zip(("category", "week"), EMPTY, strict=True)), r"^Week: nothing of .* was sold .* Choose another week"),
        ({"prompt": "  "}, r"^Prompt is empty: describe the garment"),
        ({"prompt": "navy " * 76}, r"^Prompt has 78 tokens, the text encoder takes 77\. Shorten it"),
        ({"prompt": None}, r"^Prompt: NoneType is not text"),
        ({"sketch": None}, r"^Sketch is empty: draw at least an outline, or load a template"),
        ({"sketch": "data:text/html,<b>"}, r"^Canvas: the value opens with .*give a PNG data URL"),
        ({"num_candidates": 9}, r"^Candidates: 9 is not usable: choose 1 to 8"),
        ({"num_candidates": 2.5}, r"^Candidates: 2\.5 is not a whole number\. Give a whole number"),
        ({"num_candidates": True}, r"^Candidates: True is not a number"),
        ({"num_inference_steps": 0}, r"^Steps: 0 is not usable: choose 1 to 100"),
        ({"num_inference_steps": "many"}, r"^Steps: 'many' is not a number"),
        ({"guidance_scale": float("nan")}, r"^Guidance: nan is not a number"),
        ({"guidance_scale": 50}, r"^Guidance: 50 is not usable: choose 1 to 20"),
        ({"sketch_influence": float("inf")}, r"^Sketch influence: inf is not a number"),
        ({"sketch_influence": -0.1}, r"^Sketch influence: -0\.1 is not usable: choose 0 to 1"),
        ({"seed": None}, r"^Seed: None is not a number"),
        ({"seed": -1}, r"^Seed -1 is out of range: choose 0 to"),
        ({"seed": 10**400}, r"^Seed 10+ is out of range: choose 0 to"),
    ],
)
def test_bad_input_names_field_and_remedy_before_anything_is_drawn(engine, inputs, change, says):
    with pytest.raises(StudioError, match=says):
        next(callbacks.run(engine, replace(inputs, **change)))
    assert engine.num_steps == 0


def test_seeds_that_we_pick_can_be_read_out():
    assert len({callbacks.pick_seed() for _ in range(20)}) > 1
    assert all(0 <= callbacks.pick_seed() < callbacks.MAX_SHOWN_SEED for _ in range(200))


# ---- drawing


def test_cards_arrive_one_by_one_and_are_ranked_once(engine, inputs):
    views = list(callbacks.run(engine, inputs))
    assert len(views) == 1 + 4 * (3 + 1) + 1
    assert [len(view.designs) for view in views if view.fresh] == [0, 1, 2, 3, 4, 4]
    assert {view.phase for view in views[:-1]} == {"running"} and views[-1].phase == "ranked"
    assert all(one.rank == 0 for view in views[:-1] for one in view.designs)
    assert [one.rank for one in views[-1].designs] == [1, 2, 3, 4]
    assert views[-1].designs[0].design.index == 1  # the fake's best is its second
    fractions = [view.progress.fraction for view in views[:-1] if view.progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    assert engine.num_steps == 12 and engine.num_closed == 1


def test_progress_counts_all_steps():
    assert Progress(2, 4, 3, 12, num_ready=1).fraction == (12 + 3 + DECODING) / (4 * (12 + DECODING))
    assert Progress(1, 4, 3, 12, together=4).fraction == 4 * 3 / (4 * (12 + DECODING))
    assert Progress(5, 8, 12, 12, together=4, num_ready=8).fraction == 1


def test_closing_frees_the_model_within_a_step(engine, inputs, monkeypatch):
    kept = []  # so that closing is no gift of the garbage collector
    generate = engine.generate
    monkeypatch.setattr(engine, "generate", lambda request: kept.append(generate(request)) or kept[-1])
    views = callbacks.run(engine, inputs)
    seen = list(islice(views, 1 + 4 + 2))  # the start, candidate 1 with its card, two steps of candidate 2
    assert len(seen[-1].designs) == 1 and engine.num_steps == 5
    assert engine._lock.locked()
    views.close()
    assert engine.num_steps == 5 and engine.num_closed == 1 and not engine._lock.locked()
    assert list(callbacks.run(engine, inputs))[-1].phase == "ranked"


def test_a_request_that_was_never_read_holds_nothing(engine, inputs):
    views = callbacks.run(engine, inputs)
    next(views)
    views.close()
    assert engine.num_steps == 0 and not engine._lock.locked()


@pytest.mark.parametrize("failure", [MemoryError("the device ran out of memory. Wait."), ValueError("prompt is odd.")])
def test_a_failure_midway_is_told_and_the_engine_goes_on(engine, inputs, failure):
    engine.fail_with = failure
    with pytest.raises(StudioError, match=str(failure)[1:]):
        list(callbacks.run(engine, inputs))
    assert not engine._lock.locked()
    engine.fail_with = None
    assert len(list(callbacks.run(engine, inputs))[-1].designs) == 4


def test_mistakes_of_our_own_are_not_dressed_up(engine, inputs):
    engine.fail_with = RuntimeError("bug")
    with pytest.raises(RuntimeError, match="bug"):
        list(callbacks.run(engine, inputs))
    assert not engine._lock.locked()


def test_requests_take_turns(engine, inputs):
    with closing(engine.generate(checks.check_request(engine, inputs))) as first:
        assert isinstance(next(first), StepDone)
        assert not engine._lock.acquire(blocking=False)
    assert engine._lock.acquire(blocking=False)


# ---- cards


def ranked_view(engine: FakeEngine, inputs: GenerateInputs) -> ResultsView:
    return list(callbacks.run(engine, inputs))[-1]


def test_running_cards_keep_places_and_name_no_rank(engine, inputs):
    view = list(islice(callbacks.run(engine, inputs), 1 + 4))[-1]
    html = cards.results_html(view, model="fake-0")
    assert html.count('<article class="design-card"') == 1 and html.count("is-pending") == 3
    assert "No. 1<" not in html and 'data-rank="1"' not in html
    assert "Candidate 1" in html and "_candidate1.png" in html and texts.PENDING in html
    status = cards.status_html(view)
    assert "Candidate 1 of 4, step 3 of 3" in status and "<progress" in status


def test_a_stopped_request_ends_with_what_was_drawn_and_frees_the_model(engine, inputs):
    stop, closed = Stop(), engine.num_closed
    views = callbacks.run(engine, inputs, stop)
    assert len(list(islice(views, 1 + 4 + 1))[-1].designs) == 1
    stop.asked, steps = True, engine.num_steps
    (last,) = views
    assert (last.phase, len(last.designs), last.progress) == ("cancelled", 1, None) and last.fresh
    assert engine.num_closed == closed + 1 and engine.num_steps <= steps + 1
    html = cards.results_html(last, model="fake-0")
    assert html.count('<article class="design-card"') == 1 and "is-pending" not in html


def test_ranked_cards_carry_every_score_and_a_png_that_tells_its_origin(engine, inputs):
    view = ranked_view(engine, inputs)
    html = cards.results_html(view, model="fake-0")
    places = [html.index(f'data-rank="{rank}"') for rank in (1, 2, 3, 4)]
    assert places == sorted(places) and "is-pending" not in html
    best = view.designs[0]
    for value in (best.clip_i, best.clip_t, best.combined):
        assert f"<dd>{value:.3f}</dd>" in html
    assert html.count(texts.DOWNLOAD) == 4 and f"{CATEGORY}_{WEEK}_seed7_rank1.png" in html
    url = pictures.png_url(best, model="fake-0", references=view.references)
    assert url in html
    image = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
    told = json.loads(image.info[CHUNK])
    assert (told["rank"], told["seed"], told["week"], told["model"]) == (1, 7, WEEK, "fake-0")
    assert np.array_equal(np.asarray(image), best.design.image)
    assert "4 designs ranked in" in cards.status_html(view) and "Seed 7." in cards.status_html(view)


def test_a_ranked_card_tells_why(engine, inputs):
    view = ranked_view(engine, inputs)
    first, last = view.whys[0], view.whys[-1]
    assert first.near_copy and not last.near_copy and first.closest.similarity == 0.9
    assert 0 < first.stroke_share < 1 and first.nearest.picture.startswith("data:image/jpeg")
    assert all(one.best for one in first.phrases) and not any(one.best for one in last.phrases)
    html = cards.results_html(view, model="fake-0")
    assert html.count('<details class="fd-why">') == 4 and html.count(cards.escape(texts.NEAR_COPY)) == 1
    assert html.count("<li data-best>") == len(first.phrases) and html.count('id="fd-weight"') == 1
    alone = cards.results_html(ranked_view(engine, replace(inputs, num_candidates=1)), model="fake-0")
    assert 'id="fd-weight"' not in alone and "data-best" not in alone


def test_hostile_words_stay_words(engine, inputs):
    context = callbacks.page_context(engine, CATEGORY, WEEK)
    assert any(tile.name == HOSTILE for tile in context.bestsellers)
    view = ranked_view(engine, replace(inputs, prompt=f'shirt "{HOSTILE}', num_candidates=5))
    named = replace(view.designs[0], nearest_article_id="0100000005")
    pages = [
        cards.bestsellers_html(context),
        cards.headline_html(replace(context, headline=HOSTILE)),
        cards.results_html(replace(view, designs=(named, *view.designs[1:])), model=HOSTILE),
        cards.message_html(HOSTILE),
    ]
    for html in pages:
        assert "<img src=x" not in html and "onerror=&quot;" in html


@pytest.mark.parametrize(
    ("view", "says"),
    [(ResultsView("idle"), texts.IDLE), (ResultsView("cancelled"), texts.CANCELLED)],
)
def test_status_of_the_quiet_phases(view, says):
    status = cards.status_html(view)
    assert says in status and "<progress" not in status


def test_failures_are_announced():
    assert 'role="alert"' in cards.message_html("Prompt is empty.") and 'role="status"' in cards.message_html(
        "Done.", phase="idle"
    )


# ---- API and trends


def test_json_of_the_api(engine, inputs):
    told = json.loads(json.dumps(service.ranking_json(ranked_view(engine, inputs), model="fake-0")))
    assert [one["rank"] for one in told["designs"]] == [1, 2, 3, 4] and told["seed"] == 7
    assert all(one["image"].startswith("data:image/png;base64,") for one in told["designs"])
    week = json.loads(json.dumps(service.bestsellers_json(callbacks.page_context(engine, CATEGORY, WEEK))))
    assert len(week["bestsellers"]) == 5 and week["bestsellers"][4]["name"] == HOSTILE
    table = json.loads(json.dumps(service.trends_json(engine, CATEGORY, "pattern", "2020-week10")))
    assert table["week"] == WEEK and sum(table["shares"][WEEK].values()) == pytest.approx(1, abs=1e-4)


def frame(**columns: list[float]) -> pd.DataFrame:
    keys = [f"2020-W{week:02d}" for week in (2, 3, 4, 5, 6)]
    return pd.DataFrame(columns, index=keys)


@pytest.mark.parametrize(
    ("shares", "week", "says"),
    [
        (
            frame(navy=[0.5, 0.5, 0.5, 0.5, 0.56], red=[0.1, 0.1, 0.1, 0.1, 0.2]),
            "2020-W06",
            "Navy led upper body in 2020-W06, with 56% of the units sold, up 6 points since 2020-W02. "
            "Red gained most: 10 points since 2020-W02.",
        ),
        (
            frame(navy=[0.6, 0.5, 0.5, 0.5, 0.59], red=[0.4, 0.5, 0.5, 0.5, 0.41]),
            "2020-W06",
            "Navy led upper body in 2020-W06, with 59% of the units sold, down 1 point since 2020-W02. "
            "Red gained most: 1 point since 2020-W02.",
        ),
        (
            frame(navy=[0.6, 0.5, 0.5, 0.5, 0.6], red=[0.4, 0.5, 0.5, 0.5, 0.4]),
            "2020-W06",
            "Navy led upper body in 2020-W06, with 60% of the units sold, unchanged since 2020-W02.",
        ),
        (
            frame(navy=[0.6, 0.5, 0.5, 0.5, 0.6], red=[0.4, 0.5, 0.5, 0.5, 0.4]),
            "2020-W05",
            "Navy led upper body in 2020-W05, with 50% of the units sold.",
        ),
        (frame(navy=[1, 1, 1, 1, 1]), "2020-W20", texts.NO_BESTSELLERS),
    ],
)
def test_trend_words(shares, week, says):
    assert trendtexts.trend_words(shares, week=week, category="top5gub") == says


def test_trend_words_compare_with_four_weeks_before_not_four_rows():
    shares = frame(navy=[0.5, 0.5, 0.5, 0.5, 0.9], red=[0.5, 0.5, 0.5, 0.5, 0.1])
    shares.index = ["2019-W01", "2020-W03", "2020-W04", "2020-W05", "2020-W06"]  # nothing sold in 2020-W02
    assert trendtexts.trend_words(shares, week="2020-W06", category="top5shoe").endswith("with 90% of the units sold.")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nothing", "colour", WEEK), "^Category 'nothing' is unknown"),
        ((CATEGORY, "price", WEEK), "^Show shares of: 'price' is unknown. Choose one of colour, type, pattern"),
        ((CATEGORY, ["colour"], WEEK), "^Show shares of: .* is unknown"),
        ((CATEGORY, "colour", "2031-W01"), "^Week: '2031-W01' is not in the sales data"),
    ],
)
def test_bad_trend_questions(engine, arguments, says):
    with pytest.raises(StudioError, match=says):
        service.trends_json(engine, *arguments)

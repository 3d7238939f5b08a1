"""The studio's API over HTTP, as another program uses it: typed answers, clear messages, and a server that lives on."""

from __future__ import annotations

import base64
import io
import json
import time

import numpy as np
import pytest
from PIL import Image

from studio.canvas import encode_canvas
from tests.fake_engine import EMPTY, HOSTILE

CATEGORY, WEEK = "top5gub", "2020-W10"


@pytest.fixture(scope="module")
def client(url, tmp_path_factory):
    from gradio_client import Client

    return Client(url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))


@pytest.fixture
def sketch(engine):
    return encode_canvas(engine.template(CATEGORY))


def generate(client, drawing, **changes):
    given = {"category": CATEGORY, "week": WEEK, "prompt": "navy shirt", "sketch": drawing, "steps": 3, "seed": 7}
    return client.submit(**(given | changes), api_name="/generate")


def test_only_the_typed_endpoints_are_public(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert sorted(endpoints) == ["/bestsellers", "/forecast", "/generate", "/rank", "/trends"]
    names = [one["parameter_name"] for one in endpoints["/generate"]["parameters"]]
    assert names == [
        "category", "week", "prompt", "sketch", "num_candidates", "steps", "guidance", "influence", "seed",
        "pictures", "mask", "image",
    ]  # fmt: skip


def test_generate_streams_progress_and_ends_with_the_ranking(client, sketch):
    job = generate(client, sketch)
    answer = job.result(timeout=30)
    *progress, last = job.outputs()
    assert last == answer
    fractions = [one["progress"] for one in progress]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    assert [one["rank"] for one in answer["designs"]] == [1, 2, 3, 4]
    assert answer["designs"][0]["candidate"] == 1  # the fake's best is its second
    combined = [one["combined"] for one in answer["designs"]]
    assert combined == sorted(combined, reverse=True)
    image = Image.open(io.BytesIO(base64.b64decode(answer["designs"][0]["image"].split(",")[1])))
    assert image.size == (384, 512) and json.loads(image.info["fashiondistill"])["seed"] == 7


def test_the_same_seed_gives_the_same_designs(client, sketch):
    def pictures(seed: int) -> list[str]:
        return [one["image"] for one in generate(client, sketch, seed=seed).result(timeout=30)["designs"]]

    assert pictures(11) == pictures(11) != pictures(12)


def test_bestsellers(client):
    answer = client.predict(CATEGORY, "2020-week10", api_name="/bestsellers")
    assert (answer["week"], answer["suggested_prompt"]) == (WEEK, "navy striped upper body garment of week 10")
    assert [one["units"] for one in answer["bestsellers"]] == [1500, 750, 500, 375, 300]
    assert answer["bestsellers"][4]["name"] == HOSTILE  # data, not HTML: whoever shows it escapes it
    assert client.predict(*EMPTY, api_name="/bestsellers")["bestsellers"] == []


def test_rank_takes_uploads_and_data_urls_but_no_other_file(client, tmp_path):
    from gradio_client import handle_file
    from gradio_client.exceptions import AppError

    files = []
    for level in (220, 30):
        files.append(tmp_path / f"{level}.png")
        Image.new("RGB", (192, 256), (level,) * 3).save(files[-1])
    url = "data:image/png;base64," + base64.b64encode(files[0].read_bytes()).decode()
    answer = client.predict([handle_file(str(files[1])), url], CATEGORY, WEEK, api_name="/rank")
    assert [one["image"] for one in answer["ranking"]] == [1, 2]
    for path in (str(files[0]), "/etc/passwd", {"path": str(files[0])}, 3):
        with pytest.raises(AppError):
            client.predict([path], CATEGORY, WEEK, api_name="/rank")


def test_trends(client):
    answer = client.predict(CATEGORY, "pattern", WEEK, api_name="/trends")
    assert set(answer["shares"][WEEK]) == {"plain", "striped", "checked"} and len(answer["shares"]) == 40
    assert answer["text"].startswith("Plain led upper body in 2020-W10, with ")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sketch": encode_canvas(np.zeros((512, 384)))}, "Sketch is empty: draw at least an outline"),
        ({"sketch": "data:image/png;base64,AAAA"}, "Canvas: the drawing is not a PNG file"),
        ({"prompt": "navy " * 76}, "Prompt has 78 tokens, the text encoder takes 77. Shorten it"),
        ({"week": "2031-W01"}, "Week: '2031-W01' is not in the sales data. Choose a week from 2019-W40 to 2020-W27"),
        ({"category": EMPTY[0], "week": EMPTY[1]}, "Choose another week"),
        ({"num_candidates": 99}, "Candidates: 99 is not usable: choose 1 to 8"),
        ({"steps": "all"}, "Steps: 'all' is not a number"),
    ],
)
def test_errors_reach_the_client_in_words_and_the_server_lives(client, engine, sketch, changes, says):
    from gradio_client.exceptions import AppError

    before = engine.num_steps
    with pytest.raises(AppError) as caught:
        generate(client, sketch, **changes).result(timeout=30)
    assert says in str(caught.value)
    assert engine.num_steps == before
    assert len(client.predict(CATEGORY, WEEK, api_name="/bestsellers")["bestsellers"]) == 5


def test_a_model_that_fails_says_why_and_works_again(client, engine, sketch):
    from gradio_client.exceptions import AppError

    engine.fail_with = MemoryError("the model's device ran out of memory. Wait until other work has ended.")
    try:
        with pytest.raises(AppError, match="ran out of memory. Wait until"):
            generate(client, sketch).result(timeout=30)
    finally:
        engine.fail_with = None
    assert len(generate(client, sketch).result(timeout=30)["designs"]) == 4


def test_a_cancelled_job_frees_the_model(client, engine, sketch):
    engine.step_seconds, closed = 0.1, engine.num_closed
    try:
        job = generate(client, sketch, steps=100)
        _until(lambda: len(job.outputs()) >= 2)
        job.cancel()
        _until(lambda: engine.num_closed > closed)
        steps = engine.num_steps
        time.sleep(0.4)
        assert engine.num_steps == steps
    finally:
        engine.step_seconds = 0.0
    assert len(generate(client, sketch).result(timeout=30)["designs"]) == 4


def _until(reached, *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.05)

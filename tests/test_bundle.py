"""The bundled model and catalogue through the real engine: offline, from a stroke to four ranked cards."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from fashiondistill.config import ASSETS, CATALOGUE, STARTER, GenerateConfig, StudioConfig
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.design import DesignRequest
from studio import callbacks
from studio.canvas import encode_canvas
from studio.engine import CandidateReady, DesignEngine, Ranked
from studio.state import GenerateInputs, StudioError
from tests.studio_page import Studio, until

pytestmark = pytest.mark.bundle
ROOT = Path(__file__).parents[1]
PORT = 7996

# Runs app.py with every way out of this machine noted and closed.
GUARD = """
import runpy, socket, sys
LOG, sys.argv = sys.argv[1], ["app.py", *sys.argv[2:]]
LOCAL = ("127.0.0.1", "localhost", "::1", "0.0.0.0")
def guarded(real):
    def call(*arguments, **options):
        address = arguments[1] if isinstance(arguments[0], socket.socket) else arguments[0]
        host = address[0] if isinstance(address, tuple) else address
        if isinstance(host, str) and host not in LOCAL and not host.startswith("/"):
            with open(LOG, "a") as log:
                log.write(f"{host}\\n")
            raise OSError(f"no network in this test: {host}")
        return real(*arguments, **options)
    return call
socket.getaddrinfo = guarded(socket.getaddrinfo)
socket.socket.connect = guarded(socket.socket.connect)
socket.socket.connect_ex = guarded(socket.socket.connect_ex)
runpy.run_path("app.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def engine():
    return DesignEngine.open(StudioConfig())


@pytest.fixture(scope="module")
def offline_url(tmp_path_factory):
    log = tmp_path_factory.mktemp("network") / "calls.txt"
    command = [sys.executable, "-c", GUARD, str(log), "--port", str(PORT)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    url = f"http://127.0.0.1:{PORT}/"
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            break
        except OSError:
            assert server.poll() is None, server.stdout.read()
            time.sleep(0.2)
    yield url
    server.terminate()
    server.wait(timeout=20)
    assert not log.exists(), f"app.py asked for {log.read_text()}"


def test_bundle_is_within_its_limits():
    files = [path for path in ASSETS.rglob("*") if path.is_file()]
    assert max(path.stat().st_size for path in files) <= 16 * 2**20
    assert sum(path.stat().st_size for path in files) <= 64 * 2**20
    assert {path.suffix for path in STARTER.rglob("*") if path.is_file()} <= {".json", ".safetensors", ".md"}


def test_card_holds_the_figures_that_were_measured():
    figures = json.loads((STARTER / "figures.json").read_text())
    card = (STARTER / "README.md").read_text(encoding="utf-8")
    for name in ("autoencoder_psnr", "clip_t_ratio", "outline_iou", "clip_recall_at_1_image_to_text"):
        assert f"{figures[name]['mean']:.3f}" in card, name


def test_every_category_has_forty_articles_with_pictures(engine):
    counts = dict(engine.shop.articles["category"].value_counts().iter_rows())
    assert set(counts) == {category.folder for category in CATEGORIES} and min(counts.values()) >= 40
    for article in engine.shop.articles["article_id"]:
        assert (CATALOGUE / "images" / article[:3] / f"{article}.jpg").is_file()


@pytest.mark.parametrize("category", [category.folder for category in CATEGORIES])
def test_every_whole_week_has_five_bestsellers_and_a_prompt_that_fits(engine, category):
    for week in engine.weeks[2:]:
        assert len(engine.bestsellers(category, week.key)) == 5
    shown = callbacks.page_context(engine, category, "2020-W10")
    assert shown.suggestion and all(tile.picture for tile in shown.bestsellers)
    engine.check_prompt(shown.suggestion)


def test_candidates_are_scored_ranked_and_the_same_again(engine):
    config = GenerateConfig(num_candidates=2, num_inference_steps=3)
    request = DesignRequest(
        "top5gub", "2020-W10", "navy plain t-shirt", engine.template("top5gub"), seed=5, config=config
    )
    events = list(engine.generate(request))
    ranked = events[-1]
    assert isinstance(ranked, Ranked) and [one.rank for one in ranked.designs] == [1, 2]
    assert sum(isinstance(event, CandidateReady) for event in events) == 2
    again = list(engine.generate(request))[-1]
    assert all((a.design.image == b.design.image).all() for a, b in zip(ranked.designs, again.designs, strict=True))


def test_words_choose_the_colour(engine):
    """Mean colour inside the garment: red words give more red than blue, and the reverse."""
    sketch = engine.template("top5gub")
    means = {}
    for word in ("red", "blue"):
        config = GenerateConfig(num_candidates=1)
        request = DesignRequest("top5gub", "2020-W10", f"{word} plain t-shirt", sketch, config=config)
        image = list(engine.generate(request))[-1].designs[0].design.image
        means[word] = image[200:380, 130:250].reshape(-1, 3).mean(axis=0)
    assert means["red"][0] > means["red"][2] + 40 and means["blue"][2] > means["blue"][0] + 40


def test_a_prompt_over_77_tokens_is_refused_with_both_counts(engine):
    inputs = GenerateInputs(
        "top5gub", "2020-W10", "navy " * 80, encode_canvas(engine.template("top5gub")), 1, 2, 2, 1, 0
    )
    with pytest.raises(StudioError, match="82 tokens.*77"):
        next(callbacks.run(engine, inputs))


@pytest.mark.browser
def test_a_designer_draws_and_gets_four_ranked_cards_without_any_network(browser, offline_url):
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(30_000)
    studio = Studio(context.new_page(), offline_url).open()
    studio.choose("week", "Week 10, 2020")
    until(lambda: studio.page.locator("#bestsellers img").count() == 5)
    studio.draw((150, 200), (192, 230), (234, 200))
    studio.generate()
    studio.page.locator("#results .design-card").first.wait_for()
    until(
        lambda: studio.cards("[data-rank='4']").count() == 1,
        lambda: studio.page.locator("#status").inner_text(),
        seconds=120,
    )
    assert sorted(card.get_attribute("data-rank") for card in studio.cards().all()) == ["1", "2", "3", "4"]
    text = studio.cards("[data-rank='1']").inner_text()
    assert "CLIP-I" in text and "CLIP-T" in text and "Combined" in text
    studio.page.get_by_role("tab", name="Trends").click()
    studio.page.locator("#trend-plot .main-svg").first.wait_for()
    studio.shot("bundle-trends")
    assert studio.errors == [] and studio.foreign == []
    context.close()

"""Fixtures of more than one test file. FASHIONDISTILL_CHROMIUM names another browser than /usr/bin/chromium."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is imported: workers share the cores instead of taking all each
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from fashiondistill.config import StudioConfig
from fashiondistill.store import Store
from studio.library import Library
from tests.fake_engine import FakeEngine
from tests.studio_page import Studio

# Whatever opens a studio without a --store_dir of its own must not write among the developer's designs.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="fashiondistill-tests-")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    config = StudioConfig(port=0, store_dir=str(tmp_path_factory.mktemp("store")))
    return FakeEngine(tmp_path_factory.mktemp("pictures"), config=config)


@pytest.fixture(scope="module")
def url(engine, tmp_path_factory):
    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("gradio"))
    from app import launch

    page = launch(engine, engine.config, block=False)
    yield page.local_url
    page.close()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A real store behind a fake engine."""
    return Library(FakeEngine(tmp_path), Store.open(tmp_path / "store"))


@pytest.fixture
def user(library: Library) -> str:
    """Key of a visitor."""
    return library.known("")


@pytest.fixture(scope="module")
def browser():
    path = os.environ.get("FASHIONDISTILL_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(path).exists():
        pytest.fail(
            f"the browser tests need Chromium and there is none at {path}. Install it (apt-get install chromium), "
            "set FASHIONDISTILL_CHROMIUM to its path, or leave these tests out with: pytest -m 'not browser'"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(params=[1440])
def studio(request, url, browser, engine):
    """The page at 1440 pixels, or as wide as a test says; a test may define its own."""
    engine.step_seconds, engine.fail_with = 0, None
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    context.set_default_timeout(10_000)
    opened = Studio(context.new_page(), url)
    yield opened.open()
    context.close()
    assert opened.errors == [] and opened.foreign == []

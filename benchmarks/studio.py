"""python -m benchmarks.studio: seconds until the page answers, and until four ranked candidates are there.

Starts `python app.py` as a user does, opens the page, then sends requests one after the other through gradio_client.
With --browser they come from the page itself, opened in Chromium on the same cores: then also the seconds from the
command until Generate can be pressed, and until the first candidate shows.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from importlib.metadata import version
from pathlib import Path

from gradio_client import Client

from fashiondistill.config import GenerateConfig
from fashiondistill.data.drawings import template_sketch
from studio.canvas import encode_canvas

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5)
    parser.add_argument("--port", type=int, default=7899)
    parser.add_argument("--browser", action="store_true", help="use the page in Chromium; needs tests/requirements.txt")
    arguments = parser.parse_args()
    url, start = f"http://127.0.0.1:{arguments.port}", time.monotonic()
    server = subprocess.Popen([sys.executable, "app.py", "--port", str(arguments.port)], cwd=ROOT)
    try:
        _wait(url, server)
        answered = time.monotonic() - start
        timed = (_through_page if arguments.browser else _through_api)(url, arguments.requests, start)
    finally:
        server.terminate()
        server.wait()
    print(f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {version('torch')}")
    print(f"page answers after {answered:.1f} s")
    for what, seconds in timed.items():
        print(f"{what}: first {seconds[0]:.1f} s, median {statistics.median(seconds):.1f} s,"
              f" range {min(seconds):.1f} to {max(seconds):.1f} s (n = {len(seconds)})")  # fmt: skip


def _through_api(url: str, num_requests: int, _: float) -> dict[str, list[float]]:
    client = Client(url, verbose=False)
    seconds = []
    for seed in range(num_requests):
        start = time.monotonic()
        job = client.submit(
            "top5gub", "2020-W10", "navy striped t-shirt", encode_canvas(template_sketch("top5gub")),
            api_name="/generate", seed=seed,
        )  # fmt: skip
        designs = job.outputs()[-1] if job.result() else None
        assert designs and len(designs["designs"]) == GenerateConfig().num_candidates
        seconds.append(time.monotonic() - start)
    return {"four ranked candidates through the API": seconds}


def _through_page(url: str, num_requests: int, command: float) -> dict[str, list[float]]:
    from playwright.sync_api import sync_playwright

    first, ranked = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(url)
        page.wait_for_selector("#generate:enabled")
        usable = time.monotonic() - command
        for _ in range(num_requests):
            page.locator("#generate").click()
            start = time.monotonic()
            page.wait_for_selector('#status [data-phase="running"]')
            page.wait_for_selector("#results .design-card:not(.is-pending)", timeout=60_000)
            first.append(time.monotonic() - start)
            page.wait_for_selector('#status [data-phase="ranked"]', timeout=120_000)
            assert page.locator("#results .design-card").count() == GenerateConfig().num_candidates
            ranked.append(time.monotonic() - start)
        browser.close()
    return {
        "Generate can be pressed, after the command": [usable],
        "first candidate on the page": first,
        "four ranked candidates on the page": ranked,
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else ():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def _wait(url: str, server: subprocess.Popen) -> None:
    while server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("app.py ended before its page answered")


if __name__ == "__main__":
    main()

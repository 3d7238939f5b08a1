"""python -m benchmarks.studio: seconds until the page answers, and until four ranked candidates are there.

Starts `python app.py` as a user does, opens the page, then sends requests one after the other through gradio_client.
With --browser they come from the page itself, opened in Chromium on the same cores: then also the seconds from the
command until Generate can be pressed, and until the first candidate shows; and of --loads first visits of their own
the bytes by type, and the seconds until Generate can be pressed and the canvas has taken a stroke. --json keeps it all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from gradio_client import Client

from fashiondistill.config import GenerateConfig
from fashiondistill.data.drawings import template_sketch
from studio.canvas import encode_canvas

if TYPE_CHECKING:
    from benchmarks.pageload import PageLoad

ROOT = Path(__file__).parents[1]
LOAD_WORDS = {
    "generate": "Generate can be pressed, after the visit began",
    "stroke": "a stroke has left ink, after the visit began",
    "loaded": "last transfer of the first load, after the visit began",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5)
    parser.add_argument("--port", type=int, default=7899)
    parser.add_argument("--browser", action="store_true", help="use the page in Chromium; needs tests/requirements.txt")
    parser.add_argument("--loads", type=int, default=5, help="first visits to time, with --browser")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    arguments = parser.parse_args()
    url, start = f"http://127.0.0.1:{arguments.port}", time.monotonic()
    store = tempfile.TemporaryDirectory()  # not among the developer's designs
    command = [sys.executable, "app.py", "--port", str(arguments.port), "--store_dir", store.name]
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        _wait(url, server)
        answered = time.monotonic() - start
        timed = (_through_page if arguments.browser else _through_api)(url, arguments.requests, start)
        loads = _load(url, arguments.loads) if arguments.browser else []
        for name in ("generate", "stroke", "loaded") if loads else ():
            timed[LOAD_WORDS[name]] = [getattr(one, name) for one in loads]
    finally:
        server.terminate()
        server.wait()
        store.cleanup()
    loaded_by = os.getloadavg()[0]
    print(f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {version('torch')}")
    print(f"load of the machine over the last minute, this benchmark included: {loaded_by:.1f}")
    print(f"page answers after {answered:.1f} s")
    for what, seconds in timed.items():
        print(f"{what}: first {seconds[0]:.1f} s, median {statistics.median(seconds):.1f} s,"
              f" range {min(seconds):.1f} to {max(seconds):.1f} s (n = {len(seconds)})")  # fmt: skip
    if loads:
        _print_weight(loads[0])
    if arguments.json:
        machine = {"processor": _processor(), "cores": os.cpu_count(), "load": round(loaded_by, 2)}
        machine |= {"python": platform.python_version(), "torch": version("torch"), "gradio": version("gradio")}
        record = {"machine": machine, "page_answers_s": answered, "seconds": timed}
        record["loads"] = [asdict(one) for one in loads]
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _load(url: str, num_loads: int) -> list[PageLoad]:
    """First visits, one after the other; the warm server is the same for all."""
    from benchmarks.pageload import visit

    return [visit(url) for _ in range(num_loads)]


def _print_weight(load: PageLoad) -> None:
    print(f"first load: {load.total.bytes:,} bytes in {load.total.count} requests")
    for kind, one in load.by_type.items():
        print(f"  {kind}: {one.bytes:,} bytes in {one.count}")


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

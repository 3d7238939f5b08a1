"""python -m benchmarks.studio: seconds until the page answers, and until four ranked candidates are there.

Starts `python app.py` as a user does, opens the page, then sends requests one after the other through gradio_client.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
import urllib.request
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
    arguments = parser.parse_args()
    url, start = f"http://127.0.0.1:{arguments.port}", time.monotonic()
    server = subprocess.Popen([sys.executable, "app.py", "--port", str(arguments.port)], cwd=ROOT)
    try:
        _wait(url, server)
        usable = time.monotonic() - start
        client = Client(url, verbose=False)
        seconds = []
        for seed in range(arguments.requests):
            start = time.monotonic()
            job = client.submit(
                "top5gub", "2020-W10", "navy striped t-shirt", encode_canvas(template_sketch("top5gub")),
                api_name="/generate", seed=seed,
            )  # fmt: skip
            designs = job.outputs()[-1] if job.result() else None
            assert designs and len(designs["designs"]) == GenerateConfig().num_candidates
            seconds.append(time.monotonic() - start)
    finally:
        server.terminate()
        server.wait()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"page usable after {usable:.1f} s")
    print(f"four ranked candidates: first request {seconds[0]:.1f} s, median {statistics.median(seconds):.1f} s,"
          f" range {min(seconds):.1f} to {max(seconds):.1f} s (n = {len(seconds)})")  # fmt: skip


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

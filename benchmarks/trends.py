"""python -m benchmarks.trends: milliseconds of every trend view of a shop of H&M's size, from its weekly sums.

Opens --shop, which is made first if it does not exist (31.8 million sales; `benchmarks.bestsellers` makes and uses the
same). The first opening fills a cache of the sales. What is made once (weekly sums, and per category the articles that
ever led) is timed by itself; then every view is called --rounds times, in turns with the others, over categories,
attributes and weeks that change with the round. Wall time is what a visitor waits, and suffers from whatever else runs;
CPU time adds up all threads and does not. The target is a median of 100 ms of wall time a view on a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np

from benchmarks.bestsellers import ARTICLES_PER_CATEGORY, CUSTOMERS, ROWS
from fashiondistill.config import CatalogueConfig
from fashiondistill.data.catalogue import make_catalogue
from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week
from fashiondistill.forecast.bestsellers import forecast_bestsellers
from fashiondistill.forecast.shares import forecast_shares
from fashiondistill.forecast.words import describe_next_week
from fashiondistill.signals import category_shares, signals, turnover, week_marks
from fashiondistill.trends import ATTRIBUTES, attribute_shares, headline, momentum, trend_prompt

TARGET_MS = 100
View = Callable[[Shop, str, str, Week], object]
VIEWS: dict[str, View] = {
    "shares by week": lambda shop, category, attribute, week: attribute_shares(shop, category, attribute),
    "momentum": lambda shop, category, attribute, week: momentum(attribute_shares(shop, category, attribute), week),
    "signals: stage, markdown, last year": signals,
    "turnover of the top-5": lambda shop, category, attribute, week: turnover(shop, category),
    "categories by week": lambda shop, category, attribute, week: category_shares(shop),
    "partial and shocked weeks": lambda shop, category, attribute, week: week_marks(shop),
    "headline": lambda shop, category, attribute, week: headline(shop, category, week),
    "suggested prompt": lambda shop, category, attribute, week: trend_prompt(shop, category, week),
    "bestsellers of all weeks": lambda shop, category, attribute, week: [
        shop.bestsellers(category, one) for one in shop.weeks
    ],
    "articles behind a click": lambda shop, category, attribute, week: shop.sold_with(
        category, attribute, week, "", limit=24
    ),
    "forecast of shares, 8 weeks": forecast_shares,
    "forecast of the top-5": lambda shop, category, attribute, week: forecast_bestsellers(shop, category, week),
    "words for next week": lambda shop, category, attribute, week: describe_next_week(shop, category, week),
}


def measure(shop: Shop, rounds: int) -> dict[str, np.ndarray]:
    """View -> milliseconds [rounds, 2]: wall time, CPU time. A first round warms up and is not counted."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in VIEWS}
    for number in range(-1, rounds):
        category = shop.categories[number % len(shop.categories)].folder
        attribute = ATTRIBUTES[number % len(ATTRIBUTES)]
        week = shop.weeks[-2 - (7 * (number + 1)) % (len(shop.weeks) // 2)]
        for name, view in VIEWS.items():
            wall, processor = time.perf_counter(), time.process_time()
            view(shop, category, attribute, week)
            if number >= 0:
                spent = time.perf_counter() - wall, time.process_time() - processor
                found[name].append((1000 * spent[0], 1000 * spent[1]))
    return {name: np.array(times) for name, times in found.items()}


def table(found: dict[str, np.ndarray]) -> str:
    """Markdown: median and 95th percentile of the wall time, median CPU time, and whether the target is met."""
    lines = [
        f"| view | wall, median ms | wall, p95 ms | CPU, median ms | under {TARGET_MS} ms |",
        "|---|---|---|---|---|",
    ]
    for name, times in found.items():
        wall, processor = np.median(times, axis=0)
        met = "yes" if wall < TARGET_MS else "no"
        lines.append(f"| {name} | {wall:.1f} | {np.quantile(times[:, 0], 0.95):.1f} | {processor:.1f} | {met} |")
    return "\n".join(lines)


def timed(words: str, action: Callable[[], object]) -> object:
    """Run, and print what it took."""
    wall, processor = time.perf_counter(), time.process_time()
    result = action()
    print(f"{words}: {time.perf_counter() - wall:.2f} s, {time.process_time() - processor:.2f} CPU-s", flush=True)
    return result


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status: 1 if a view missed the target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trends", description=__doc__.splitlines()[0])
    parser.add_argument("--shop", default="outputs/large_shop", help="folder in H&M's layout; made if need be")
    parser.add_argument("--rows", type=int, default=ROWS, help="sales of a shop that has to be made")
    parser.add_argument(
        "--articles_per_category", type=int, default=ARTICLES_PER_CATEGORY, help="of a shop that has to be made"
    )
    parser.add_argument(
        "--cache_dir", default="outputs/large_shop_cache", help="where a slim copy of the sales is kept"
    )
    parser.add_argument("--rounds", type=int, default=30, help="calls of each view (default: 30)")
    parser.add_argument("--out", default="", help="write the table here too")
    arguments = parser.parse_args(argv)
    folder = Path(arguments.shop)
    if not (folder / "articles.csv").is_file():
        config = CatalogueConfig(arguments.rows, CUSTOMERS, arguments.articles_per_category)
        timed(f"{arguments.rows:,} sales made", lambda: make_catalogue(config, folder))
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, Python "
        f"{platform.python_version()}, polars {metadata.version('polars')}, numpy {metadata.version('numpy')}"
    )
    shop = timed("Shop.open", lambda: Shop.open(folder, cache_dir=Path(arguments.cache_dir)))
    print(f"{shop.units['units'].sum():,} units in {shop.units.height:,} rows of week and article")
    timed("weekly sums, made once", lambda: shop.cube)
    for category in shop.categories:
        timed(f"leaders of {category.folder}, made once", lambda folder=category.folder: shop.leaders(folder))
    found = measure(shop, arguments.rounds)
    text = table(found)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{text}\n\npeak memory {peak:,.0f} MiB; load {os.getloadavg()[0]:.1f} at the end")
    if arguments.out:
        Path(arguments.out).write_text(text + "\n", encoding="utf-8")
    return 0 if all(np.median(times[:, 0]) < TARGET_MS for times in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

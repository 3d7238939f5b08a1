"""python -m benchmarks.bestsellers: weekly bestsellers of a large file, as this project finds them and as others would.

Makes a synthetic shop of H&M's size if --shop does not exist yet, then runs each engine in a process of its own, one
after the other in turns, and writes a table: seconds, CPU-seconds, peak memory, and how many times as long plain pandas
takes. Every engine's result must be the same, or the run ends with an error.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pandas as pd
import polars as pl

from fashiondistill.config import CatalogueConfig
from fashiondistill.data.assortment import place_articles, read_articles
from fashiondistill.data.bestsellers import Ranking, sales_by_week, weekly_bestsellers, with_keys
from fashiondistill.data.catalogue import make_catalogue
from fashiondistill.data.categories import CATEGORY_OF_GROUP, HOSIERY_GROUP
from fashiondistill.data.sales import PRICE_STEPS, open_sales
from fashiondistill.data.weeks import WeekCalendar

ROWS, ARTICLES_PER_CATEGORY, CUSTOMERS = 31_788_324, 17_424, 1_000_000  # H&M: 31,788,324 rows and 104,547 articles
TOP_K = 5
CSV = "transactions_train.csv"
COLUMNS = ["category", "week", "rank", "article_id", "units", "revenue"]


def reference(folder: Path, *, top_k: int = TOP_K) -> pd.DataFrame:
    """Weekly bestsellers the plain pandas way, for ISO weeks, units and articles: columns `COLUMNS`, sorted."""
    articles = pd.read_csv(folder / "articles.csv", usecols=["article_id", "product_group_name", "garment_group_name"])
    articles["category"] = articles["product_group_name"].map({g: c.folder for g, c in CATEGORY_OF_GROUP.items()})
    articles = articles[articles["category"].notna() & (articles["garment_group_name"] != HOSIERY_GROUP)]
    sales = pd.read_csv(folder / CSV, usecols=["t_dat", "article_id", "price"])
    sales["revenue"] = (sales["price"] * PRICE_STEPS).round().astype("int64")
    daily = sales.groupby(["t_dat", "article_id"], as_index=False).agg(
        units=("revenue", "size"), revenue=("revenue", "sum")
    )
    iso = pd.to_datetime(daily["t_dat"]).dt.isocalendar()
    daily["week"] = iso["year"].astype(str) + "-W" + iso["week"].astype(str).str.zfill(2)
    weekly = daily.groupby(["week", "article_id"], as_index=False)[["units", "revenue"]].sum()
    weekly = weekly.merge(articles[["article_id", "category"]], on="article_id")
    weekly = weekly.sort_values(
        ["category", "week", "units", "revenue", "article_id"], ascending=[True, True, False, False, True]
    )
    weekly["rank"] = weekly.groupby(["category", "week"]).cumcount() + 1
    best = weekly[weekly["rank"] <= top_k].copy()
    best["article_id"] = best["article_id"].astype(str).str.zfill(10)
    best["revenue"] = best["revenue"] / PRICE_STEPS
    return best[COLUMNS].reset_index(drop=True)


def ours(folder: Path, cache: Path | None) -> pd.DataFrame:
    """What `prepare hm` does up to the bestsellers."""
    articles = read_articles(folder).frame
    with open_sales(folder, cache_dir=cache) as sales:
        ranking = Ranking(top_k=TOP_K, rank_by="units", dedupe="article")
        found = sales_by_week(sales, articles, place_articles(articles), calendar=WeekCalendar(), ranking=ranking)
    return _pandas(found.bestsellers)


def polars_scan(folder: Path) -> pd.DataFrame:
    """One lazy polars query in the streaming engine; no bad row is named, the first ends it."""
    types = {"t_dat": pl.String, "customer_id": pl.String, "article_id": pl.Int64, "price": pl.Float64}
    rows = pl.scan_csv(folder / CSV, schema=types | {"sales_channel_id": pl.String})
    price = (pl.col("price") * PRICE_STEPS).round().cast(pl.Int64).alias("revenue")
    day = pl.col("t_dat").str.to_date("%Y-%m-%d")
    daily = (
        rows.select("t_dat", "article_id", price)
        .group_by("t_dat", "article_id")
        .agg(pl.len().cast(pl.Int64).alias("units"), pl.col("revenue").sum())
        .with_columns(WeekCalendar().week_number(day.cast(pl.Int32)).alias("week"))
    )
    weekly = daily.group_by("week", "article_id").agg(pl.col("units").sum(), pl.col("revenue").sum())
    return _ranked(weekly.collect(engine="streaming"), folder)


def duckdb(folder: Path) -> pd.DataFrame:
    """One query, with DuckDB's own list of rejected lines and a memory limit."""
    import duckdb as engine  # only this row of the table needs it: pip install duckdb

    connection = engine.connect()
    connection.execute("SET memory_limit = '700MB'; SET preserve_insertion_order = false")
    types = (
        "{'t_dat': 'VARCHAR', 'customer_id': 'VARCHAR', 'article_id': 'BIGINT', 'price': 'DOUBLE', "
        "'sales_channel_id': 'VARCHAR'}"
    )
    groups = ", ".join(f"('{group}', '{category.folder}')" for group, category in CATEGORY_OF_GROUP.items())
    query = f"""
        WITH daily AS (
            SELECT t_dat, article_id, count(*) AS units, sum(CAST(round(price * {PRICE_STEPS}) AS BIGINT)) AS revenue
            FROM read_csv(?, header = true, delim = ',', auto_detect = false, columns = {types}, store_rejects = true)
            GROUP BY ALL
        ), weekly AS (
            SELECT strftime(CAST(t_dat AS DATE), '%G-W%V') AS week, article_id,
                   sum(units) AS units, sum(revenue) AS revenue
            FROM daily GROUP BY ALL
        )
        SELECT folder AS category, week,
               row_number() OVER (PARTITION BY folder, week ORDER BY units DESC, revenue DESC, article_id) AS rank,
               lpad(CAST(article_id AS VARCHAR), 10, '0') AS article_id, CAST(units AS BIGINT) AS units,
               CAST(revenue AS DOUBLE) / {PRICE_STEPS} AS revenue
        FROM weekly
        JOIN (SELECT CAST(article_id AS BIGINT) AS article_id, product_group_name, garment_group_name
              FROM read_csv(?, header = true, all_varchar = true)) USING (article_id)
        JOIN (VALUES {groups}) AS known(product_group_name, folder) USING (product_group_name)
        WHERE garment_group_name IS DISTINCT FROM '{HOSIERY_GROUP}'
        QUALIFY rank <= {TOP_K}
        ORDER BY category, week, rank
    """
    return connection.execute(query, [str(folder / CSV), str(folder / "articles.csv")]).df()[COLUMNS]


def _ranked(weekly: pl.DataFrame, folder: Path) -> pd.DataFrame:
    """Rank as `ours` does, so that only reading and adding up differ between the engines."""
    articles = read_articles(folder).frame.with_columns(pl.col("article_id").cast(pl.Int64))
    ranking = Ranking(top_k=TOP_K, rank_by="units", dedupe="article")
    return _pandas(with_keys(weekly_bestsellers(weekly, articles, ranking=ranking)))


def _pandas(frame: pl.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(frame.select(COLUMNS).to_dict(as_series=False))


ENGINES: dict[str, Callable[[Path, Path], pd.DataFrame]] = {
    "pandas, CSV": lambda folder, cache: reference(folder),
    "polars scan, CSV": lambda folder, cache: polars_scan(folder),
    "DuckDB, CSV": lambda folder, cache: duckdb(folder),
    "this project, CSV": lambda folder, cache: ours(folder, None),
    "this project, CSV, filling the cache": lambda folder, cache: ours(folder, cache),
    "this project, cache": lambda folder, cache: ours(folder, cache),
}


def measure(engine: str, folder: Path, cache: Path) -> dict[str, float | str]:
    """Run one engine in this process: seconds, CPU-seconds, peak MiB and a hash of the result."""
    start, cpu = time.perf_counter(), time.process_time()
    result = ENGINES[engine](folder, cache)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    text = result.astype({"week": str}).to_csv(index=False, float_format="%.9g")
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "result": hashlib.sha256(text.encode()).hexdigest(),
        "rows": len(result),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shop", default="outputs/large_shop", help="folder in H&M's layout; made if need be")
    parser.add_argument("--rows", type=int, default=ROWS, help="of a shop that has to be made")
    parser.add_argument(
        "--articles_per_category", type=int, default=ARTICLES_PER_CATEGORY, help="of a shop that has to be made"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=list(ENGINES))
    parser.add_argument("--out", default="", help="write the table here too")
    parser.add_argument("--one", nargs=3, metavar=("ENGINE", "SHOP", "CACHE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one[0], Path(arguments.one[1]), Path(arguments.one[2]))))
        return
    shop = Path(arguments.shop)
    if not (shop / CSV).is_file():
        config = CatalogueConfig(arguments.rows, CUSTOMERS, arguments.articles_per_category)
        make_catalogue(config, shop)
    text = table(shop, _runs(shop, arguments.engines, arguments.rounds))
    print(text)
    if arguments.out:
        Path(arguments.out).write_text(text + "\n", encoding="utf-8")


def _runs(shop: Path, engines: list[str], rounds: int) -> dict[str, list[dict]]:
    """Engine -> its runs, in turns, so that other load on the machine hits all alike."""
    runs: dict[str, list[dict]] = {name: [] for name in engines}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(rounds):
            for name in engines:
                # Each round fills a cache of its own, and the last engine then finds it filled.
                command = [
                    sys.executable,
                    "-m",
                    "benchmarks.bestsellers",
                    "--one",
                    name,
                    str(shop),
                    f"{cache}/{number}",
                ]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                runs[name].append(json.loads(done.stdout.splitlines()[-1]))
                print(f"{name}: {runs[name][-1]['seconds']:.1f} s", file=sys.stderr)
    results = {run["result"] for found in runs.values() for run in found}
    if len(results) != 1:
        raise SystemExit(f"the engines disagree: { ({name: found[0]['result'][:8] for name, found in runs.items()}) }")
    return runs


def table(shop: Path, runs: dict[str, list[dict]]) -> str:
    """The runs as a Markdown table of medians, with the range of the seconds."""
    slowest = [run["seconds"] for run in runs.get("pandas, CSV", [])]
    size = (shop / CSV).stat().st_size
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("pandas", "polars"))
    lines = [
        f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{versions}; {CSV} of {size / 1e9:.2f} GB; medians of {len(next(iter(runs.values())))} runs in turns",
        "",
        "| engine | seconds | range | CPU-seconds | peak MiB | pandas / engine |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in runs.items():
        middle = {key: statistics.median(run[key] for run in found) for key in ("seconds", "cpu_seconds", "peak_mib")}
        all_seconds = [run["seconds"] for run in found]
        ratio = f"{statistics.median(slowest) / middle['seconds']:.1f}" if slowest else ""
        lines.append(
            f"| {name} | {middle['seconds']:.1f} | {min(all_seconds):.1f} to {max(all_seconds):.1f} "
            f"| {middle['cpu_seconds']:.1f} | {middle['peak_mib']:.0f} | {ratio} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""Customers and their purchases of a made-up catalogue, as H&M's customers.csv and transactions_train.

In: articles with their weights per week. Out: the files, and rows in chunks, so that any number fits into memory.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from fashiondistill.config import CatalogueConfig
from fashiondistill.data.articles import GARMENTS, ArticleSpec, Garment, stream
from fashiondistill.data.demand import FIRST_DAY, LAST_DAY
from fashiondistill.data.transactions import TRANSACTIONS_STEM
from fashiondistill.data.weeks import Week

EUROS_PER_PRICE = 590  # H&M's price column times 590 gives whole cents (measured on 10,000 real rows)
CHUNK_ROWS = 500_000  # rows in memory at once; 31.8 million rows to CSV took 16 s and 245 MB (2 cores)
WEEKDAY_WEIGHTS = (0.95, 0.92, 0.95, 1.0, 1.08, 1.16, 0.94)  # Monday first
SALE_WEEKS = (1, 2, 3, 26, 27, 28)  # ISO weeks of the sales at the ends of the seasons
SALE_FACTOR = 0.8
REPEAT_SHARE = 0.3  # of sales that follow a sale of the same article on the same day: same customer, so a repeated row


def write_customers(path: Path, config: CatalogueConfig) -> pl.Series:
    """Write customers.csv; returns the ids, sorted, as 64 hex digits."""
    rng = stream(config, "customers")
    count = config.num_customers
    ids = sorted(hashlib.sha256(f"customer {config.seed} {n}".encode()).hexdigest() for n in range(count))
    postal = pl.Series([hashlib.sha256(f"post {config.seed} {n}".encode()).hexdigest() for n in range(count // 4 + 1)])
    reads_news = rng.random(count) < 0.35
    active = reads_news & (rng.random(count) < 0.97)
    young = rng.random(count) < 0.6
    age = np.where(young, rng.normal(26, 5, count), rng.normal(49, 10, count)).clip(16, 99).round().astype(np.int64)
    club = rng.choice(3, count, p=(0.93, 0.065, 0.005))
    frame = pl.DataFrame(
        {
            "customer_id": pl.Series(ids, dtype=pl.String),
            "FN": pl.Series(np.where(reads_news, 1.0, np.nan)).fill_nan(None),
            "Active": pl.Series(np.where(active, 1.0, np.nan)).fill_nan(None),
            "club_member_status": pl.Series(["ACTIVE", "PRE-CREATE", "LEFT CLUB"]).gather(club),
            "fashion_news_frequency": pl.Series(["NONE", "Regularly"]).gather(reads_news.astype(np.int64)),
            "age": pl.select(pl.when(pl.Series(rng.random(count) >= 0.012)).then(pl.Series(age))).to_series(),
            "postal_code": postal.gather(rng.integers(0, len(postal), count)),
        }
    )
    frame.write_csv(path)
    return frame["customer_id"]


def transactions(
    specs: list[ArticleSpec], weights: np.ndarray, weeks: list[Week], customer_ids: pl.Series, config: CatalogueConfig
) -> Iterator[pl.DataFrame]:
    """Chunks of about `CHUNK_ROWS` rows in H&M's columns and order (by day, then customer)."""
    rng = stream(config, "transactions")
    article_ids = pl.Series([spec.article_id for spec in specs], dtype=pl.String)
    euros = np.array([GARMENTS.get(spec.garment, Garment("", 20)).euros for spec in specs])
    euros = np.maximum(np.round(euros * np.exp(rng.normal(0, 0.25, len(specs)))), 2) - 0.01
    days = [FIRST_DAY + datetime.timedelta(n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
    week_of_day = np.array([Week.of(day) - weeks[0] for day in days])
    chance = weights.sum(axis=1)[week_of_day] * np.array([WEEKDAY_WEIGHTS[day.weekday()] for day in days])
    rows_of_day = rng.multinomial(config.num_transactions, chance / chance.sum())
    waiting: list[tuple[np.ndarray, ...]] = []
    num_waiting = 0
    for number, (week, num_rows) in enumerate(zip(week_of_day, rows_of_day, strict=True)):
        share = weights[week] / weights[week].sum()
        article = np.repeat(np.arange(len(specs)), rng.multinomial(num_rows, share))
        customer = _customers_of(article, len(customer_ids), rng)
        order = np.lexsort((article, customer))
        article, customer = article[order], customer[order]
        price = np.round(euros * SALE_FACTOR, 2) if weeks[week].week in SALE_WEEKS else euros
        waiting.append((np.full(num_rows, number), customer, article, price[article]))
        num_waiting += int(num_rows)
        if num_waiting >= CHUNK_ROWS or number == len(days) - 1:
            yield _rows_frame(waiting, days, customer_ids, article_ids)
            waiting, num_waiting = [], 0


def _rows_frame(
    parts: list[tuple[np.ndarray, ...]], days: list[datetime.date], customer_ids: pl.Series, article_ids: pl.Series
) -> pl.DataFrame:
    """H&M's five columns of the parts' (day number, customer number, article number, euros)."""
    day, customer, article, euros = (np.concatenate(column) for column in zip(*parts, strict=True))
    channel = np.where((article + customer * 7) % 10 < 7, 2, 1)  # 70 % are 2; equal within a repeated row
    return pl.DataFrame(
        {
            "t_dat": pl.Series(days, dtype=pl.Date).gather(day),
            "customer_id": customer_ids.gather(customer),
            "article_id": article_ids.gather(article),
            "price": euros / EUROS_PER_PRICE,
            "sales_channel_id": channel.astype(np.int64),
        }
    )


def _customers_of(article: np.ndarray, num_customers: int, rng: np.random.Generator) -> np.ndarray:
    """Who bought: int64 [num_rows] for sorted `article`; some buy two of a kind, which H&M writes as a repeated row."""
    # The square makes a few customers buy often, as in H&M's rows.
    customer = (num_customers * rng.random(len(article)) ** 2).astype(np.int64)
    again = rng.random(len(article)) < REPEAT_SHARE
    again[:1] = False
    again[1:] &= article[1:] == article[:-1]
    customer[again] = customer[np.flatnonzero(again) - 1]
    return customer


def write_transactions(folder: Path, chunks: Iterator[pl.DataFrame], transactions_format: str) -> None:
    """Write the chunks as they come; Parquet goes through a CSV, since polars has no writer that appends to one."""
    csv, parquet = folder / f"{TRANSACTIONS_STEM}.csv", folder / f"{TRANSACTIONS_STEM}.parquet"
    parquet.unlink(missing_ok=True)  # of an earlier run; readers prefer it to the CSV
    schema: pl.Schema | None = None
    with csv.open("wb") as file:
        for chunk in chunks:
            chunk.write_csv(file, include_header=schema is None)
            schema = chunk.schema
    if transactions_format == "parquet":
        pl.scan_csv(csv, schema=schema).sink_parquet(parquet, compression="zstd", row_group_size=CHUNK_ROWS)
        csv.unlink()

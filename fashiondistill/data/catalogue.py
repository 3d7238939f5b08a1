"""A seeded catalogue and its sales in H&M's exact layout, with trends that are known beforehand.

In: `CatalogueConfig`, a folder and, if pictures exist already, the articles to sell. Out: articles.csv, customers.csv,
transactions_train.csv or .parquet, and truth.json with the expected share of every colour, pattern and type per week,
from which measured shares differ by sampling error only (`demand`). Knows nothing of pictures, models or pages.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fashiondistill.cli import add_flags, config_from
from fashiondistill.config import CatalogueConfig
from fashiondistill.data.articlerows import articles_frame
from fashiondistill.data.articles import ArticleSpec, check_specs, make_specs, stream
from fashiondistill.data.assortment import ARTICLES_FILE
from fashiondistill.data.categories import get_category
from fashiondistill.data.demand import Truth, all_weeks, choose_trends, expected_shares, weekly_weights
from fashiondistill.data.pictures import DRAWN, NONE, articles_of_dataset, draw_articles
from fashiondistill.data.salesrows import transactions, write_customers, write_transactions

FORMATS = ("csv", "parquet")


def make_catalogue(
    config: CatalogueConfig,
    folder: Path,
    *,
    articles: list[ArticleSpec] | None = None,
    transactions_format: str = "csv",
) -> Truth:
    """Write articles.csv, customers.csv, transactions_train and truth.json; the same arguments give the same bytes.

    Args:
        config: sizes and seed.
        folder: made if need be; files of an earlier run are replaced.
        articles: what to sell; None makes up `config.articles_per_category` articles of each category.
        transactions_format: "csv" or "parquet" (a small fraction of the size).

    Raises:
        ValueError: for an unknown format, no articles, or an article_id given twice.
    """
    if transactions_format not in FORMATS:
        raise ValueError(f"transactions_format {transactions_format!r} is unknown: choose csv or parquet.")
    specs = make_specs(config) if articles is None else articles
    check_specs(specs)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weeks = all_weeks()
    trends = choose_trends(specs, stream(config, "trends"))
    weights = weekly_weights(specs, trends, weeks, stream(config, "weights"))
    truth = Truth(tuple(week.key for week in weeks), expected_shares(specs, weights), trends)

    articles_frame(specs, config).write_csv(folder / ARTICLES_FILE)
    customer_ids = write_customers(folder / "customers.csv", config)
    chunks = transactions(specs, weights, weeks, customer_ids, config)
    write_transactions(folder, chunks, transactions_format)
    truth.save(folder)
    return truth


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    parser = argparse.ArgumentParser(
        prog="python -m fashiondistill.data.catalogue", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", required=True, help="folder to write to")
    parser.add_argument("--transactions_format", default="csv", choices=FORMATS, help="of the sales (default: csv)")
    parser.add_argument(
        "--pictures",
        default=NONE,
        help=f"{NONE}, {DRAWN} (simple drawings), or the folder of a prepared data set (default: {NONE})",
    )
    add_flags(parser, CatalogueConfig)
    arguments = parser.parse_args(argv)
    out = Path(arguments.out)
    try:
        config = config_from(arguments, CatalogueConfig)
        articles = None
        if arguments.pictures == DRAWN:
            articles = draw_articles(config, out)
        elif arguments.pictures != NONE:
            articles = articles_of_dataset(Path(arguments.pictures), config, out)
        truth = make_catalogue(config, out, articles=articles, transactions_format=arguments.transactions_format)
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{config.num_transactions} sales in {len(truth.weeks)} weeks: {arguments.out}")
    for trend in truth.trends:
        print(
            f"{get_category(trend.category).title}: {trend.attribute} {trend.word} "
            f"{'rises' if trend.rises else 'falls'} around {trend.turn}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Files in H&M's layout, made by hand or broken on purpose, for more than one test file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fashiondistill.data.assortment import ARTICLE_COLUMNS, NUMBER_COLUMNS

HEADER = "t_dat,customer_id,article_id,price,sales_channel_id"
CUSTOMER = "ab" * 32
UPPER, LOWER, SHOES = "Garment Upper body", "Garment Lower body", "Shoes"


def sale(day: str, article: str, price: object = 0.05, channel: int = 2) -> str:
    """A line of transactions_train.csv."""
    return f"{day},{CUSTOMER},{article},{price},{channel}"


def write_sales(
    folder: Path, lines: Iterable[str], *, header: str = HEADER, name: str = "transactions_train.csv"
) -> Path:
    """Write a transactions file of the given lines."""
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def article_row(article_id: str, group: str = SHOES, **changes: object) -> dict[str, object]:
    """H&M's 25 columns of an article."""
    row: dict[str, object] = {name: 7 if name in NUMBER_COLUMNS else "a b" for name in ARTICLE_COLUMNS}
    known = {
        "article_id": article_id,
        "product_code": article_id.zfill(10)[:7],
        "product_group_name": group,
        "product_type_name": "Sneakers",
        "garment_group_name": "Shoes",
        "index_group_name": "Ladieswear",
    }
    return row | known | changes


def write_articles(folder: Path, rows: Iterable[dict[str, object]], *, without: tuple[str, ...] = ()) -> Path:
    """Write articles.csv, every text in quotes."""
    columns = [name for name in ARTICLE_COLUMNS if name not in without]
    lines = [",".join(columns)]
    for row in rows:
        lines.append(",".join(_quoted(row[name]) for name in columns))
    path = folder / "articles.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _quoted(value: object) -> str:
    return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else str(value)

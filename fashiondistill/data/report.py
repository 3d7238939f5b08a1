"""A prepared data set as one HTML page for people: what went in, what came out, and what was left out and why.

In: manifest.json's contents, the plan and where the pictures stand. Out: report.html, which needs no network, no script
and no other file. Knows nothing of how a data set is made.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from fashiondistill.data.categories import get_category
from fashiondistill.data.charts import bars, weekly_chart
from fashiondistill.data.hmplan import HmPlan, Placement
from fashiondistill.data.tables import BadRow
from fashiondistill.data.vitonhd import ArticleRecord, read_article, write_text
from fashiondistill.data.weeks import Week

THUMBNAIL = (96, 128)  # width, height
MAX_ROWS = 20  # of a table; the files beside the report have them all
NUM_WEEKS_SHOWN = 4
STYLE = """
:root { color-scheme: light dark; --ink: #1d2433; --dim: #667085; --line: #d8dde6; --paper: #fff; --accent: #2f6fed;
  --band: #f2f5fa; --warn: #b54708; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf1; --dim: #98a2b3; --line: #3b4455; --paper: #161b26;
  --accent: #6ea0ff; --band: #1e2532; --warn: #fdb022; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1100px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p.dim, .dim { color: var(--dim); } .warn { color: var(--warn); }
.cards { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.cards li { border: 1px solid var(--line); border-radius: 8px; padding: .6rem .9rem; min-width: 8rem; }
.cards b { display: block; font-size: 1.3rem; }
table { border-collapse: collapse; margin: .5rem 0; } caption { text-align: left; color: var(--dim); }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { color: var(--dim); font-size: .85rem; } svg { width: 100%; height: auto; }
svg text { fill: var(--dim); font: 10px system-ui, sans-serif; } svg .title { fill: var(--ink); font-size: 12px; }
.row { display: flex; gap: .6rem; flex-wrap: wrap; margin: .3rem 0 1rem; } .row figure { width: 104px; }
.row img { width: 96px; height: 128px; object-fit: contain; background: #f6f6f6; border: 1px solid var(--line); }
.row .none { width: 96px; height: 128px; border: 1px dashed var(--line); display: grid; place-items: center;
  font-size: .75rem; color: var(--dim); text-align: center; }
"""


@dataclass(frozen=True)
class Fate:
    """What became of a bestseller's picture: "ok", or why it has none."""

    status: str
    record: ArticleRecord | None


def write_report(path: Path, manifest: dict, plan: HmPlan, fates: dict[str, Fate]) -> None:
    """Write the page.

    Args:
        path: of the file; the pictures stand below its folder.
        manifest: contents of manifest.json.
        plan: what the sales said.
        fates: article id -> what became of it, for every bestseller.
    """
    body = [
        _head(manifest, plan),
        _sales(manifest, plan),
        _bestsellers(plan),
        _pictures(path.parent, plan, fates),
        _left_out(manifest, plan),
        _provenance(manifest),
    ]
    text = (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>Data set report</title>"
        "<meta name='viewport' content='width=device-width'>"
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )
    write_text(path, text)


def _head(manifest: dict, plan: HmPlan) -> str:
    counts, weeks = manifest["counts"], plan.by_week.weeks
    cards = [
        (f"{counts['rows']:,}", "sales read"),
        (f"{counts['bad_rows']:,}", "rows that could not be used"),
        (str(len(weeks)), f"weeks, {weeks[0].week} to {weeks[-1].week}"),
        (f"{counts['bestsellers']:,}", f"bestsellers ({counts['articles']:,} articles)"),
        (f"{sum(counts['items'].values()):,}", "items in the data set"),
        (f"{len(manifest['missing_images']):,}", "bestsellers' articles without a picture"),
        (f"{len(manifest['rejected_images']):,}", "pictures that could not be prepared"),
    ]
    items = "".join(f"<li><b>{_e(value)}</b>{_e(label)}</li>" for value, label in cards)
    notes = [f"{split} is empty: no week of the sales falls into it." for split, n in counts["weeks"].items() if not n]
    warnings = "".join(f"<p class='warn'>{_e(note)}</p>" for note in notes)
    splits = [
        (split, counts["weeks"][split], counts["items"][split], _share(manifest["unseen_articles"].get(split)))
        for split in counts["items"]
    ]
    table = _table(("split", "weeks", "items", "articles not in train"), splits, numbers=(1, 2, 3))
    asked = f"<p class='dim'>{_e(_asked(manifest))}</p>"
    return f"<h1>Data set report</h1>{asked}<ul class='cards'>{items}</ul>{warnings}{table}"


def _asked(manifest: dict) -> str:
    options = manifest["options"]
    kind = "ISO weeks" if options["week"] == "iso" else "windows of seven days that end with the last day of sales"
    one = "one place for each design" if options["dedupe"] == "product" else "one place for each article"
    limits = [
        f"{name.replace('_', ' ')} {', '.join(options[name])}"
        for name in ("categories", "audience", "exclude_types")
        if options[name]
    ]
    return f"Top {options['top_k']} by {options['rank_by']}, {one}; {kind}" + "".join(f"; {text}" for text in limits)


def _sales(manifest: dict, plan: HmPlan) -> str:
    weeks, splits = _calendar(plan)
    keys = [week.key for week in weeks]
    partial = {entry.week.key: entry.days for entry in plan.by_week.weeks if entry.partial}
    charts = []
    for category in manifest["counts"]["items_of_category"]:
        rows = plan.by_week.totals.filter(category=category)
        units = dict(zip(rows["week"], rows["units"], strict=True))
        values = [units.get(key) for key in keys]
        charts.append(weekly_chart(get_category(category).title, keys, values, splits=splits, partial=set(partial)))
    note = "; ".join(f"{key} has {days} days with sales" for key, days in partial.items()) or "none"
    return (
        "<h2>Units a week</h2><p class='dim'>Of the articles that were ranked. Hollow points are weeks that the data "
        f"covers only in part: {_e(note)}. Stocks are not in the files, so an article that was sold out looks like one "
        f"that nobody wanted.</p><div class='charts'>{''.join(charts)}</div>"
    )


def _bestsellers(plan: HmPlan) -> str:
    """How many of a week's bestsellers were bestsellers in the week before: what a naive forecast would get right."""
    weeks, splits = _calendar(plan)
    keys = [week.key for week in weeks]
    best: dict[str, dict[Week, set[str]]] = {}
    for placement in plan.placements:
        best.setdefault(placement.category, {}).setdefault(placement.week, set()).add(placement.article_id)
    charts = []
    for category, of_week in best.items():
        pairs = [(of_week.get(week), of_week.get(week.shift(-1))) for week in weeks]
        values = [100 * len(now & before) / len(now) if now and before else None for now, before in pairs]
        title = get_category(category).title
        charts.append(weekly_chart(title, keys, values, splits=splits, partial=set(), top=100, unit="%"))
    return (
        "<h2>Bestsellers that stay</h2><p class='dim'>Share of a week's bestsellers that were bestsellers in the week "
        f"before: what the guess &quot;as last week&quot; gets right.</p><div class='charts'>{''.join(charts)}</div>"
    )


def _calendar(plan: HmPlan) -> tuple[list[Week], list[str]]:
    """All weeks from the first to the last, those without sales too, and the split of each."""
    first, last = plan.by_week.weeks[0].week, plan.by_week.weeks[-1].week
    weeks = [first.shift(number) for number in range(last - first + 1)]
    return weeks, [plan.splits.of(week) for week in weeks]


def _pictures(root: Path, plan: HmPlan, fates: dict[str, Fate]) -> str:
    counts = {}
    for placement in plan.placements:
        status = fates[placement.article_id].status
        kind = status if status in ("ok", "no image") else "not prepared"
        of_category = counts.setdefault(get_category(placement.category).title, {})
        of_category[kind] = of_category.get(kind, 0) + 1
    parts = ["<h2>Pictures</h2>", bars(counts, ("ok", "no image", "not prepared"))]
    for category in dict.fromkeys(p.category for p in plan.placements):
        parts.append(f"<h3>{_e(get_category(category).title)}</h3>")
        own = [p for p in plan.placements if p.category == category]
        for number, week in enumerate(_weeks_to_show(plan, own)):
            items = [p for p in own if p.week == week]
            parts.append(f"<p class='dim'>{week} ({items[0].split})</p>")
            parts.append(_thumbnails(root, items, fates, all_kinds=not number))
    return "".join(parts)


def _weeks_to_show(plan: HmPlan, placements: Sequence[Placement]) -> list[Week]:
    """The last whole week first, then some spread over all."""
    partial = {entry.week for entry in plan.by_week.weeks if entry.partial}
    weeks = sorted({p.week for p in placements})
    whole = [week for week in weeks if week not in partial] or weeks
    steps = np.linspace(len(whole) - 1, 0, min(NUM_WEEKS_SHOWN, len(whole))).round().astype(int)
    return [whole[step] for step in steps]


def _thumbnails(root: Path, items: Sequence[Placement], fates: dict[str, Fate], *, all_kinds: bool) -> str:
    """Pictures in order of rank; of one week the sketches and masks too."""
    kinds = ("image", "sketch", "mask") if all_kinds else ("image",)
    return "".join(
        "<div class='row'>" + "".join(_thumbnail(root, item, fates[item.article_id], kind) for item in items) + "</div>"
        for kind in kinds
    )


def _thumbnail(root: Path, item: Placement, fate: Fate, kind: str) -> str:
    caption = f"{item.rank}. {item.units:,} units" if kind == "image" else kind
    if fate.record is None:
        picture = f"<div class='none'>{_e(fate.status if kind == 'image' else '')}</div>"
    else:
        pictures = read_article(root, fate.record)
        picture = f"<img src='{_data_uri(getattr(pictures, kind))}' alt='{kind} of article {item.article_id}'>"
    return f"<figure>{picture}<figcaption>{_e(caption)}<br>{item.article_id}</figcaption></figure>"


def _data_uri(pixels: np.ndarray) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail(THUMBNAIL)
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _left_out(manifest: dict, plan: HmPlan) -> str:
    rows = [(entry["reason"], f"{entry['rows']:,}", f"{entry['articles']:,}") for entry in manifest["left_out"]]
    if plan.num_rows_outside:
        rows.append(("weeks that were not asked for", f"{plan.num_rows_outside:,}", ""))
    bad: list[BadRow] = [*plan.assortment.source.bad_rows, *plan.sales.bad_rows]
    missing = [(entry["article_id"], ", ".join(entry["weeks"])) for entry in manifest["missing_images"]]
    rejected = [(entry["article_id"], entry["reason"]) for entry in manifest["rejected_images"]]
    return "".join(
        [
            "<h2>What was left out</h2>",
            _table(("sales of", "rows", "articles"), rows, numbers=(1, 2), caption="Rows that were not ranked"),
            _table(("file", "line", "reason"), [(r.file, r.line, r.reason) for r in bad], caption="Rows that could not "
                   "be used (all of them: bad_rows.csv)"),
            _table(("article", "weeks"), missing, caption="Bestsellers without a picture (all: manifest.json)"),
            _table(("article", "reason"), rejected, caption="Pictures that could not be prepared (all: manifest.json)"),
        ]
    )  # fmt: skip


def _provenance(manifest: dict) -> str:
    inputs = [
        (source["path"], f"{source['size']:,}", source["sha256"], "; ".join(source["notes"]))
        for source in manifest["inputs"].values()
    ]
    options = [(f"--{name}", _plain(value)) for name, value in manifest["options"].items()]
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    return (
        "<h2>How it was made</h2>"
        + _table(("file", "bytes", "SHA-256", "notes"), inputs, numbers=(1,))
        + f"<details><summary>Options and versions</summary>{_table(('option', 'value'), options)}"
        + f"<p class='dim'>{_e(versions)}</p></details>"
    )


def _table(
    header: Sequence[str], rows: Sequence[Iterable[object]], *, numbers: tuple[int, ...] = (), caption: str = ""
) -> str:
    """The first rows as a table; nothing if there are none."""
    if not rows:
        return ""

    def line(cells: Iterable[object], tag: str) -> str:
        marked = (f"<{tag}{' class=n' if place in numbers else ''}>{_e(c)}</{tag}>" for place, c in enumerate(cells))
        return f"<tr>{''.join(marked)}</tr>"

    more = f", the first {MAX_ROWS} of {len(rows):,}" if len(rows) > MAX_ROWS else ""
    title = f"<caption>{_e(caption + more)}</caption>" if caption else ""
    return f"<table>{title}{line(header, 'th')}{''.join(line(row, 'td') for row in rows[:MAX_ROWS])}</table>"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.0f} %"


def _plain(value: object) -> str:
    return ", ".join(str(v) for v in value) if isinstance(value, list) else str(value)


def _e(value: object) -> str:
    """Text for HTML: the shop's files are not ours."""
    return html.escape(str(value))

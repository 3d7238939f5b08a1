"""Look through a data set folder: what would stop a training, what would spoil it, and what one should know.

In: a folder in the layout of `vitonhd`, ours or a published one. Out: `CheckReport`: counts, and findings with how many
files each concerns and the first of them. Every file is read as `GarmentDataset` reads it. Changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from fashiondistill.config import CheckConfig
from fashiondistill.data.captions import caption_text
from fashiondistill.data.folders import DataFolder, Item, open_folder
from fashiondistill.data.samplefiles import is_dark_on_white, read_grey, read_mask, read_picture, read_sketch
from fashiondistill.data.tokens import MAX_TOKENS, count_clip_tokens, token_counter
from fashiondistill.data.vitonhd import SPLITS
from fashiondistill.data.weeks import Week
from fashiondistill.data.workers import run_all

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
FULL_MASK = 0.98  # a mask of so much of the picture leaves nothing to paint around
FEW_STROKES = 0.0005  # share of bright pixels below which a sketch is called blank; PiDiNet's have about 2 %
STROKE = 128


@dataclass(frozen=True)
class Finding:
    """One kind of finding: how grave, what, how many files or articles, and the first of them."""

    severity: str
    what: str
    count: int
    first: str


@dataclass(frozen=True)
class CheckReport:
    """Findings, gravest first.

    `counts` has rows of split, category, pictures, articles, first week, last week, weeks missing between them.
    """

    findings: tuple[Finding, ...]
    counts: tuple[tuple[str, str, int, int, str, str, int], ...]

    @property
    def num_errors(self) -> int:
        """Kinds of findings that would stop or mislead a training."""
        return sum(finding.severity == ERROR for finding in self.findings)


@dataclass(frozen=True)
class FileFacts:
    """What one item's files gave: findings as (severity, what, file), and the digest of its picture."""

    faults: tuple[tuple[str, str, str], ...]
    polarity: str
    digest: str


def check_folder(config: CheckConfig) -> CheckReport:
    """Check a data set folder.

    Raises:
        FileNotFoundError, ValueError: if it cannot even be listed.
    """
    count_tokens = token_counter(Path(config.tokenizer)) if config.tokenizer else count_clip_tokens
    folder = open_folder(Path(config.dataset_path))
    jobs = [(item, config.shape) for item in folder.items]
    results = run_all(_read_item, jobs, num_workers=config.num_workers)
    facts = list(tqdm(results, total=len(jobs), desc="reading", unit="picture"))
    found = [*_missing(folder), *(fault for fact in facts for fault in fact.faults)]
    found += _polarities(folder.items, facts)
    for article_id, parts in folder.captions.items():
        number = count_tokens(caption_text(parts))
        if number > MAX_TOKENS:
            found.append((WARNING, f"captions over {MAX_TOKENS} tokens (cut when they are read)", article_id))
    found += [*_duplicates(folder, facts), *_splits_in_time(folder.items)]
    short = [(severity, what, where.replace(f"{folder.root}/", "")) for severity, what, where in found]
    return CheckReport(_grouped(short) + _unseen(folder.items), _counts(folder.items))


def _read_item(job: tuple[Item, str]) -> FileFacts:
    """Runs in a worker process."""
    item, shape = job
    faults: list[tuple[str, str, str]] = []
    polarity = ""

    def read(reader, *arguments, **options):  # noqa: ANN001, ANN002, ANN003, ANN202 - any of the readers
        try:
            return reader(*arguments, **options)
        except (ValueError, FileNotFoundError) as error:
            faults.append((ERROR, _kind_of(str(error)), str(error)))
            return None

    picture = read(read_picture, item.image, shape)
    proportion = picture.file_shape if picture is not None else 0.0
    if item.sketch is not None and proportion:
        sketch = read(read_sketch, item.sketch, shape, like=proportion)
        if sketch is not None:
            polarity = "dark on white" if is_dark_on_white(read_grey(item.sketch), item.sketch) else "bright on black"
            if (sketch >= STROKE).mean() < FEW_STROKES:
                faults.append((WARNING, "sketches without strokes", str(item.sketch)))
    if item.mask is not None and proportion:
        mask = read(read_mask, item.mask, shape, like=proportion)
        if mask is not None and (mask > 0).mean() > FULL_MASK:
            faults.append((WARNING, "masks that cover the whole picture", str(item.mask)))
    digest = hashlib.sha256(item.image.read_bytes()).hexdigest()
    return FileFacts(tuple(faults), polarity, digest)


def _kind_of(message: str) -> str:
    """The class of a reader's error, so that a thousand of them are one line."""
    for words, kind in (
        ("is empty", "empty masks"),
        ("has colours", "masks with colours instead of classes"),
        ("is no line drawing", "sketches that are no line drawings"),
        ("other proportions", "sketches or masks of other proportions than their picture"),
    ):
        if words in message:
            return kind
    return f"{message.partition(':')[0]} files that cannot be read"


def _missing(folder: DataFolder) -> list[tuple[str, str, str]]:
    found = [(ERROR, "pictures without a sketch", str(i.image)) for i in folder.items if i.sketch is None]
    found += [(ERROR, "pictures without a mask", str(i.image)) for i in folder.items if i.mask is None]
    found += [(ERROR, "sketches or masks without a picture", str(path)) for path in folder.orphans]
    found += [(WARNING, "files that belong to nothing", str(path)) for path in folder.strays]
    used = {item.article_id for item in folder.items}
    found += [(ERROR, "articles without a caption", name) for name in sorted(used - set(folder.captions))]
    found += [(NOTE, "captions of articles without a picture", name) for name in sorted(set(folder.captions) - used)]
    odd = [name for name in sorted(used) if not (len(name) == 10 and name.isdigit())]
    return found + [(WARNING, "article ids that are not ten digits", name) for name in odd]


def _polarities(items: Iterable[Item], facts: Iterable[FileFacts]) -> list[tuple[str, str, str]]:
    """Dark-on-white sketches are inverted when read: a note, but both in one folder are a sign of a mix-up."""
    by_polarity = defaultdict(list)
    for item, fact in zip(items, facts, strict=True):
        if fact.polarity:
            by_polarity[fact.polarity].append(str(item.sketch))
    severity = WARNING if len(by_polarity) > 1 else NOTE
    dark = [(severity, "sketches dark on white (inverted when read)", path) for path in by_polarity["dark on white"]]
    return [*dark, *((NOTE, "sketches bright on black", path) for path in by_polarity["bright on black"])]


def _duplicates(folder: DataFolder, facts: list[FileFacts]) -> list[tuple[str, str, str]]:
    """The same article or picture on both sides of a split; a bestseller may sell in both, an undated one may not."""
    splits_of_article, splits_of_picture = defaultdict(set), defaultdict(lambda: defaultdict(set))
    for item, fact in zip(folder.items, facts, strict=True):
        splits_of_article[item.article_id, item.week is None].add(item.split)
        splits_of_picture[fact.digest][item.article_id].add(item.split)
    found = []
    for (article_id, undated), splits in splits_of_article.items():
        if len(splits) > 1:
            what = "undated articles in more than one split" if undated else "articles that sold in more than one split"
            found.append((ERROR if undated else NOTE, what, article_id))
    for articles in splits_of_picture.values():
        if len(articles) > 1 and len(set().union(*articles.values())) > 1:
            names = ", ".join(sorted(articles))
            found.append((ERROR, "equal pictures of different articles in more than one split", names))
    return found


def _splits_in_time(items: Iterable[Item]) -> list[tuple[str, str, str]]:
    """Dated splits must follow each other, or the past of one holds the future of another."""
    weeks = defaultdict(set)
    for item in items:
        if item.week is not None:
            weeks[item.split].add(item.week)
    ordered = [split for split in SPLITS if weeks[split]]
    return [
        (
            ERROR,
            "splits that overlap in time",
            f"{before} ends {max(weeks[before])}, {after} begins {min(weeks[after])}",
        )
        for before, after in zip(ordered, ordered[1:], strict=False)
        if max(weeks[before]) >= min(weeks[after])
    ]


def _unseen(items: Iterable[Item]) -> tuple[Finding, ...]:
    """How much of validation and test shows articles that training has never seen."""
    articles = defaultdict(list)
    for item in items:
        articles[item.split].append(item.article_id)
    seen = set(articles["train"])
    found = []
    for split in SPLITS[1:]:
        unseen = [name for name in articles[split] if name not in seen]
        if articles[split]:
            share = len(unseen) / len(articles[split])
            what = f"pictures of {split} show articles that train lacks ({share:.1%} of {len(articles[split])})"
            found.append(Finding(NOTE, what, len(unseen), unseen[0] if unseen else ""))
    return tuple(found)


def _grouped(found: Iterable[tuple[str, str, str]]) -> tuple[Finding, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for severity, what, where in found:
        counts[severity, what] += 1
        first.setdefault((severity, what), where)
    order = sorted(counts, key=lambda key: (SEVERITIES.index(key[0]), key[1]))
    return tuple(Finding(*key, counts[key], first[key]) for key in order)


def _counts(items: Iterable[Item]) -> tuple[tuple[str, str, int, int, str, str, int], ...]:
    groups: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        groups[item.split, item.category].append(item)
    rows = []
    for (split, category), own in sorted(groups.items(), key=lambda entry: (SPLITS.index(entry[0][0]), entry[0][1])):
        weeks: list[Week] = sorted({item.week for item in own if item.week is not None})
        span = (str(weeks[0]), str(weeks[-1])) if weeks else ("undated", "")
        gaps = weeks[-1] - weeks[0] + 1 - len(weeks) if weeks else 0
        rows.append((split, category, len(own), len({item.article_id for item in own}), *span, gaps))
    return tuple(rows)


def as_table(report: CheckReport) -> str:
    """The report as text: counts, then findings, gravest first."""
    head = ("split", "category", "pictures", "articles", "first week", "last week", "weeks missing")
    lines = _aligned([head, *[tuple(str(cell) for cell in row) for row in report.counts]])
    lines += [""] + _aligned([(f.severity.upper(), f"{f.count}", f.what, f"first: {f.first}") for f in report.findings])
    kinds = Counter(finding.severity for finding in report.findings)
    summary = ", ".join(f"{kinds[severity]} kinds of {severity}s" for severity in (ERROR, WARNING))
    return "\n".join([*lines, "", f"{sum(row[2] for row in report.counts)} pictures: {summary}."])


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]

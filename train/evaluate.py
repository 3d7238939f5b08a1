"""python -m train.evaluate: CLIP evaluation of predicted pictures, each against its own reference, with intervals.

In: a folder of pictures, captions_used.txt, and a folder of references named {id}_{ref}.jpg, all as published; a CLIP,
and another one as an independent judge. Out: summary.json, individual_scores.json, scores.csv, and clip_analysis.png
with --create_visualizations. What could not be scored is listed with its reason; if that is all, the command fails.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from fashiondistill.cli import run_command, write_run
from fashiondistill.config import STARTER, option, require
from fashiondistill.diffusion.caches import weights_id
from fashiondistill.images import fit, read_image
from fashiondistill.scoring import ClipScorer, clip_within
from train.charts import write_score_charts
from train.files import save_text
from train.intervals import bootstrap, summarise
from train.predictions import Entry, find_entries


@dataclass(frozen=True)
class ClipEvaluationConfig:
    """What is evaluated, by whom."""

    input_dir: str = option("", "folder of predicted pictures, searched below too")
    captions_file: str = option("", "captions_used.txt of the predictions")
    reference_dir: str = option("", "ref_image/ with {category}/{id}_{ref}.jpg (empty = words only)")
    output_dir: str = option("./clip_evaluation_results", "folder to write to")
    clip_i_weight: float = option(0.6, "weight of CLIP-I, similarity to the references")
    clip_t_weight: float = option(0.4, "weight of CLIP-T, similarity to the words")
    batch_size: int = option(8, "pictures embedded together")
    create_visualizations: bool = option(False, "write clip_analysis.png")
    device: str = option("auto", "where CLIP runs", choices=("auto", "cuda", "cpu"))
    clip: str = option(str(STARTER / "clip"), "folder of the CLIP that scores (open_clip layout)")
    judge: str = option("", "folder of an independent CLIP that trained nothing here (empty = none)")
    baseline_dir: str = option("", "other predictions of the same names, for the win rate against them")

    def __post_init__(self) -> None:
        for name in ("input_dir", "captions_file"):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), "give a path.")
        require(self.batch_size >= 1, "batch_size", self.batch_size, "choose at least 1.")
        for name in ("clip_i_weight", "clip_t_weight"):
            require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "choose 0 to 1.")
        require(self.clip_i_weight + self.clip_t_weight > 0, "clip_i_weight", 0, "one weight must be above 0.")


class Embedder:
    """CLIP embeddings of picture files and texts, each once, in batches on the device."""

    def __init__(self, scorer: ClipScorer, batch_size: int) -> None:
        self.scorer, self.batch_size = scorer, batch_size
        self.sizes: dict[Path, tuple[int, int]] = {}

    def pictures(self, paths: Sequence[Path], name: str) -> tuple[dict[Path, np.ndarray], dict[Path, str]]:
        """Embeddings of those that can be read, and why the others cannot; `sizes` gets width and height."""
        found: dict[Path, np.ndarray] = {}
        failed: dict[Path, str] = {}
        waiting = list(dict.fromkeys(paths))
        for start in tqdm(range(0, len(waiting), self.batch_size), desc=name, unit="batch"):
            pixels, names = [], []
            for path in waiting[start : start + self.batch_size]:
                try:
                    picture = read_image(path, field="picture")
                except (ValueError, FileNotFoundError) as error:
                    failed[path] = str(error)
                    continue
                self.sizes[path] = picture.size
                pixels.append(torch.from_numpy(fit(np.asarray(picture))))
                names.append(path)
            if names:
                stacked = torch.stack(pixels).to(self.scorer.device).permute(0, 3, 1, 2)
                embedded = self.scorer.embed_pixels(stacked.float() / 127.5 - 1).cpu().numpy()
                found |= dict(zip(names, embedded, strict=True))
        return found, failed

    def texts(self, captions: Sequence[str]) -> tuple[dict[str, np.ndarray], set[str]]:
        """Embeddings, and which captions lost words at their end, since CLIP does not read that many."""
        short = {caption: self._shortened(caption) for caption in dict.fromkeys(captions)}
        waiting, found = list(short), {}
        for start in range(0, len(waiting), self.batch_size):
            part = waiting[start : start + self.batch_size]
            found |= dict(zip(part, self.scorer.embed_texts([short[c] for c in part]), strict=True))
        return found, {caption for caption, kept in short.items() if kept != caption}

    def _shortened(self, caption: str) -> str:
        words, limit = caption.split(" "), self.scorer.model.context_length
        while len(words) > 1 and len(self.scorer.tokenizer(" ".join(words), verbose=False).input_ids) > limit:
            words.pop()
        return " ".join(words)


def score(entries: Sequence[Entry], embedder: Embedder, name: str) -> tuple[list[dict], list[tuple[Path, str]]]:
    """CLIP-I (mean over the own references; None without) and CLIP-T of each entry that can be read."""
    references = [path for entry in entries for path in entry.references]
    pictures, unread = embedder.pictures([entry.path for entry in entries], f"{name}: pictures")
    real, unread_references = embedder.pictures(references, f"{name}: references") if references else ({}, {})
    texts, cut = embedder.texts([entry.caption for entry in entries])
    rows, failed = [], []
    for entry in entries:
        reasons = [unread[entry.path]] if entry.path in unread else []
        reasons += [unread_references[path] for path in entry.references if path in unread_references]
        if reasons:
            failed.append((entry.path, reasons[0]))
            continue
        image = pictures[entry.path]
        similar = [float(image @ real[path]) for path in entry.references]
        row = {"entry": entry, "clip_t_score": float(image @ texts[entry.caption])}
        row |= {"clip_i_score": float(np.mean(similar)) if similar else None, "caption_cut": entry.caption in cut}
        row["image_size"] = list(embedder.sizes[entry.path])
        rows.append(row)
    return rows, failed


def combine(rows: list[dict], config: ClipEvaluationConfig) -> None:
    """Add combined_score, the weighted sum; without references CLIP-T alone, as published."""
    for row in rows:
        image, text = row["clip_i_score"], row["clip_t_score"]
        weighted = config.clip_t_weight * text + config.clip_i_weight * (image or 0.0)
        row["combined_score"] = text if image is None else weighted


def win_rate(rows: list[dict], others: list[dict]) -> dict[str, float | list[float]]:
    """Share of pictures whose combined score is above their namesake's, ties half; with its interval."""
    theirs = {(row["entry"].category, row["entry"].path.name): row["combined_score"] for row in others}
    pairs = [(row, theirs.get((row["entry"].category, row["entry"].path.name))) for row in rows]
    pairs = [(row, other) for row, other in pairs if other is not None]
    if not pairs:
        raise ValueError("--baseline_dir holds no picture of the same category and name. Draw the same samples.")
    wins = [0.5 + 0.5 * float(np.sign(row["combined_score"] - other)) for row, other in pairs]
    interval = bootstrap(wins, [row["entry"].group for row, _ in pairs])
    return {"win_rate": interval.mean, "win_rate_interval": [interval.low, interval.high], "pairs": len(pairs)}


def evaluate(config: ClipEvaluationConfig) -> dict:
    """Score everything and write it; returns the summary.

    Raises:
        FileNotFoundError, ValueError: naming the flag; also if nothing could be scored.
    """
    references = Path(config.reference_dir) if config.reference_dir else None
    entries, failed = find_entries(Path(config.input_dir), Path(config.captions_file), references)
    scorer = ClipScorer.load(Path(config.clip), config.device)
    rows, unread = score(entries, Embedder(scorer, config.batch_size), "CLIP")
    failed += unread
    if not rows:
        reasons = f" The first: {failed[0][0]}: {failed[0][1]}." if failed else ""
        raise ValueError(f"--input_dir {config.input_dir}: no picture could be scored, of {len(failed)}.{reasons}")
    combine(rows, config)
    summary = _summary(rows, failed, config, scorer.device)
    baseline = _baseline_entries(rows, config)
    if baseline:
        summary["baseline"] = _compared(rows, baseline, scorer, config)
    if config.judge:
        judge = ClipScorer.load(clip_within(config.judge), config.device)
        if weights_id(judge.model, "") == weights_id(scorer.model, ""):
            raise ValueError(f"--judge {config.judge} is the CLIP that scores: give another one, or leave it out.")
        judged, _ = score([row["entry"] for row in rows], Embedder(judge, config.batch_size), "judge")
        combine(judged, config)
        for row, other in zip(rows, judged, strict=True):
            row |= {f"judge_{name}": other[name] for name in ("clip_i_score", "clip_t_score", "combined_score")}
        summary["judge"] = _figures(judged)
        if baseline:
            summary["judge"]["baseline"] = _compared(judged, baseline, judge, config)
    _write(rows, failed, summary, config)
    return summary


def _baseline_entries(rows: list[dict], config: ClipEvaluationConfig) -> list[Entry]:
    """The same entries with the baseline's pictures."""
    if not config.baseline_dir:
        return []
    root, found = Path(config.baseline_dir), []
    if not root.is_dir():
        raise FileNotFoundError(f"--baseline_dir {root} does not exist. Give a folder of predictions.")
    for row in rows:
        entry = row["entry"]
        path = root / entry.path.relative_to(config.input_dir)
        if path.is_file():
            found.append(Entry(path, entry.category, entry.caption, entry.references))
    return found


def _compared(rows: list[dict], baseline: list[Entry], scorer: ClipScorer, config: ClipEvaluationConfig) -> dict:
    others, _ = score(baseline, Embedder(scorer, config.batch_size), "baseline")
    combine(others, config)
    return win_rate(rows, others) | _figures(others)


def _figures(rows: list[dict]) -> dict:
    groups = [row["entry"].group for row in rows]
    found = summarise([row["clip_t_score"] for row in rows], groups, "clip_t")
    found |= summarise([row["combined_score"] for row in rows], groups, "combined")
    if rows[0]["clip_i_score"] is not None:
        found |= summarise([row["clip_i_score"] for row in rows], groups, "clip_i")
    return found


def _summary(rows: list[dict], failed: list[tuple[Path, str]], config: ClipEvaluationConfig, device: str) -> dict:
    used = {path for row in rows for path in row["entry"].references}
    settings = {"clip_i_weight": config.clip_i_weight, "clip_t_weight": config.clip_t_weight}
    settings |= {"reference_images_count": len(used), "device_used": str(device), "clip": config.clip}
    return {
        "total_images": len(rows) + len(failed),
        "processed_images": len(rows),
        "failed_images": len(failed),
        "captions_cut": sum(row["caption_cut"] for row in rows),
        **_figures(rows),
        "evaluation_config": settings,
        "failures": [{"image_path": str(path), "reason": reason} for path, reason in failed],
    }


def _write(rows: list[dict], failed: list[tuple[Path, str]], summary: Mapping, config: ClipEvaluationConfig) -> None:
    out = Path(config.output_dir)
    out.mkdir(parents=True, exist_ok=True)
    records = []
    for row in rows:
        entry = row["entry"]
        record = {"image_path": str(entry.path), "caption": entry.caption}
        record |= {name: value for name, value in row.items() if name != "entry" and value is not None}
        records.append(record | {"references": [str(path) for path in entry.references]})
    save_text(out / "summary.json", json.dumps(summary, indent=2) + "\n")
    save_text(out / "individual_scores.json", json.dumps(records, indent=2) + "\n")
    columns = [
        n for n in ("image_path", "caption", "clip_t_score", "clip_i_score", "combined_score") if n in records[0]
    ]
    columns += [name for name in records[0] if name.startswith("judge_")]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    save_text(out / "scores.csv", text.getvalue())
    if config.create_visualizations:
        kinds = {"CLIP-I": "clip_i_score", "CLIP-T": "clip_t_score", "combined": "combined_score"}
        found = {title: [r[name] for r in records if name in r] for title, name in kinds.items()}
        write_score_charts(found, out / "clip_analysis.png")
    write_run(out, config)


def _report(config: ClipEvaluationConfig) -> str:
    summary = evaluate(config)
    lines = [f"{summary['processed_images']} of {summary['total_images']} pictures scored -> {config.output_dir}"]
    for name in ("clip_i", "clip_t", "combined"):
        if f"{name}_average" in summary:
            low, high = summary[f"{name}_interval"]
            lines.append(f"{name:10} {summary[f'{name}_average']:.4f} [{low:.4f}, {high:.4f}]")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input, or nothing scored)."""
    return run_command(
        argv, _report, ClipEvaluationConfig, prog="python -m train.evaluate", description=__doc__.splitlines()[0]
    )


if __name__ == "__main__":
    sys.exit(main())

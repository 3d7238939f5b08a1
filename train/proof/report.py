"""docs/RESULTS.md from the files that arms left: targets, tables with intervals, sample sheets, curves, cost, commands.

In: OUT/arms and OUT/cases. Out: a Markdown file and pictures beside it; nothing is written by hand, and nothing is
written before there is a result. Knows nothing of models.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH
from train.files import save_text
from train.intervals import Interval
from train.proof.compare import against, own_figures
from train.proof.files import RESULT, folder_of, read_cases, read_json, read_scores
from train.proof.market import MARKET
from train.proof.measures import image_term
from train.proof.plan import ALL_MODES, TWO_MODES, Arm
from train.proof.settings import ProofConfig
from train.proof.targets import Results, Verdict, best_trained, judge_all, missed, text_of
from train.settings import DpoConfig
from train.starter.sheets import cell, sheet

PICTURES = "results"  # folder beside the report
SHOWN_ARMS = ("base", "temporal-0", "dpo-0", "control-0", "rejection-0", "shuffled")
CURVES = ("temporal-0", "dpo-0")
# column -> (tensor, digits); {image} is the picture that a mode compares with
OWN = {
    "CLIP-I reward": ("reward_{image}", 3),
    "CLIP-I judge": ("judge_{image}", 3),
    "CLIP-T reward": ("reward_text", 3),
    "CLIP-T judge": ("judge_text", 3),
    "shown, judge": ("judge_shown", 3),
    "KID x 1000": ("kid", 2),
    "pairwise distance": ("diversity", 3),
    "Vendi": ("vendi", 3),
    "saturation": ("saturation", 3),
    "outline IoU": ("outline_iou", 3),
    "inner lines": ("inner_lines", 3),
}
COMPARED = {
    "wins, judge": ("judge_wins", 3),
    "wins, reward": ("reward_wins", 3),
    "gain, judge": ("judge_gain", 3),
    "gain, reward": ("reward_gain", 3),
    "CLIP-I judge": ("judge_{image}_change", 4),
    "CLIP-I reward": ("reward_{image}_change", 4),
    "saturation": ("saturation_change", 4),
    "pairwise distance": ("diversity_ratio", 3),
    "Vendi": ("vendi_ratio", 3),
    "inner lines": ("inner_lines_change", 3),
}
WORDS = {
    "oracle": "its own caption (what will sell is known); CLIP-I is the similarity to its own photo",
    "forecast": "colours and pattern from past weeks alone; CLIP-I is the mean similarity to the week's bestsellers",
    "bare": "the garment alone, so that the past weeks' pictures must tell the rest; CLIP-I as in forecast mode",
}


def read_results(config: ProofConfig, plan: Sequence[Arm]) -> Results | None:
    """What stands in the folder; None if no arm was measured."""
    cases = read_cases(config)
    if cases is None:
        return None
    records = {arm.name: read_json(folder_of(config, arm.name) / RESULT) for arm in plan}
    done = {name: record for name, record in records.items() if record}
    scores = {}
    for name, record in done.items():
        for mode in record["measured"]:
            tensors = read_scores(config, name, mode)
            if tensors is None:
                raise ValueError(
                    f"{folder_of(config, name)}/{mode}.safetensors is gone: delete that folder's result.json."
                )
            scores[name, mode] = tensors
    defaults = DpoConfig(**config.common(config.out, config.out, 0))
    weights = (defaults.clip_i_weight, defaults.clip_t_weight)
    return Results(scores, done, cases.articles, weights, cases.prompts) if done else None


def write_report(config: ProofConfig, plan: Sequence[Arm]) -> str:
    """Write the report; returns what to print.

    Raises:
        ValueError: if there is nothing to report.
    """
    results = read_results(config, plan)
    if results is None:
        raise ValueError(f"--output_dir {config.output_dir} holds no finished arm: there is nothing to report yet.")
    path = Path(config.results)
    pictures = path.parent / PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    verdicts = judge_all(results)
    parts = [
        _head(config, results),
        _targets(verdicts, results),
        *(_mode_section(results, mode) for mode in ALL_MODES if any(m == mode for _, m in results.scores)),
        _pictures(config, results, pictures),
        _training(results),
        _cost(results),
    ]
    save_text(path, "\n\n".join(part for part in parts if part) + "\n")
    met = sum(one.met is True for one in verdicts)
    return f"{path}: {len(results.records)} arms, {met} targets met, {len(missed(verdicts))} missed"


def _head(config: ProofConfig, results: Results) -> str:
    market = read_json(config.stock / MARKET)
    records = list(results.records.values())
    commands = sorted({record["command"] for record in records})
    hardware = sorted({record["hardware"] for record in records})
    versions = ", ".join(f"{name} {value}" for name, value in records[0]["versions"].items())
    counts = market["counts"]
    rows = [
        [split, *(str(counts[split][name]) for name in ("photos", "senders", "articles", "placements", "weeks"))]
        for split in counts
    ]
    trends = "; ".join(
        f"{t['category']} {t['attribute']} {t['word']} {'rises' if t['rises'] else 'falls'} around {t['turn']}"
        for t in market["markets"][-1]["trends"]
    )
    return "\n".join([
        "# Results of temporal and preference training",
        "",
        "Made by `python -m train.proof --stage report` from the arms' own files; not edited by hand. Real photos "
        "(CC0) with simulated sales: whole weeks and whole senders are held out.",
        "",
        table(["split", "photos", "senders", "articles among the best", "placements", "weeks"], rows),
        "",
        f"Simulated markets: {market['settings']['markets']} of {market['settings']['num_transactions']:,} sales each. "
        f"Trends of the last one: {trends}.",
        "",
        f"{len(results.articles)} held-out bestsellers ({len(set(results.articles))} articles), {config.num_noises} "
        "noises each, the same for every arm. Intervals are 95 % bootstraps that draw articles. Combined score: "
        f"{results.weights[0]:g} CLIP-I + {results.weights[1]:g} CLIP-T, each in standard deviations of the "
        "reference's pictures of one case; a win is a higher score than the reference's on the same case and noise. "
        "The judge is a CLIP of other weights that no training has seen. KID is unbiased, on the judge's features, "
        "against the cases' own photos. Inner lines: share of the drawn inner strokes with an edge within 4 pixels.",
        "",
        f"Hardware: {'; '.join(hardware)}. {versions}.",
        "",
        "```bash",
        *commands,
        "```",
    ])  # fmt: skip


def _targets(verdicts: Sequence[Verdict], results: Results) -> str:
    words = {True: "met", False: "**missed**", None: "not run"}
    rows = [[one.target, one.measured, words[one.met]] for one in verdicts]
    lines = ["## Targets", "", table(["target (issue 5, point 7)", "measured", ""], rows)]
    best = {mode: best_trained(results, mode) for mode in TWO_MODES}
    named = [f"{mode}: {name}" for mode, name in best.items() if name]
    if named:
        lines += ["", f"Highest combined score under the judge, without choice among candidates: {', '.join(named)}."]
    return "\n".join(lines)


def _mode_section(results: Results, mode: str) -> str:
    names = [name for name, its_mode in results.scores if its_mode == mode]
    fill = {"image": image_term(mode)}
    own, compared = [], []
    t2t = None
    for name in names:
        record, tensors = results.records[name], results.scores[name, mode]
        figures = own_figures(tensors, results.articles)
        t2t = t2t or {clip: text_of(figures[f"{clip}_words"]) for clip in ("reward", "judge")}
        own.append([record["title"], *_cells(OWN, figures, fill)])
        reference = record["reference"]
        if reference and results.has(mode, reference):
            found = against(tensors, results.scores[reference, mode], results.articles, mode, results.weights)
            title = f"{record['title']} against {results.records[reference]['title']}"
            compared.append([title, *_cells(COMPARED, found, fill)])
    lines = [f"## {mode.capitalize()} mode", "", f"Words: {WORDS[mode]}."]
    if t2t:
        lines.append(
            f"T2T, the words against the captions of the week's bestsellers: reward CLIP {t2t['reward']}, judge "
            f'{t2t["judge"]}. "Shown" is the same of what a picture shows, put into the training captions\' words.'
        )
    lines += ["", table(["arm", *OWN], own)]
    if compared:
        lines += [
            "",
            "Against its reference, on the same cases and noises (pairwise distance and Vendi as shares):",
            "",
        ]
        lines.append(table(["arm", *COMPARED], compared))
    return "\n".join(lines)


def _cells(columns: Mapping[str, tuple[str, int]], figures: Mapping[str, Interval], fill: dict[str, str]) -> list[str]:
    names = [(name.format(**fill), digits) for name, digits in columns.values()]
    return [text_of(figures[name], digits) if name in figures else "-" for name, digits in names]


def _pictures(config: ProofConfig, results: Results, folder: Path) -> str:
    """Sample sheets, one a mode, and curves."""
    lines = ["## Pictures", "", "The first noise of each case; nothing was chosen."]
    for mode in TWO_MODES:
        shown = [name for name in SHOWN_ARMS if results.has(mode, name)]
        if shown:
            Image.fromarray(_sheet(config, results, mode, shown)).save(folder / f"{mode}.jpg", quality=80)
            lines += ["", f"![{mode}: sketch, photo, then {', '.join(shown)}]({PICTURES}/{mode}.jpg)"]
    for name in CURVES:
        source = folder_of(config, name) / "train" / "curves.png"
        if name in results.records and source.is_file():
            shutil.copyfile(source, folder / f"curves_{name}.png")
            lines += ["", f"![training curves of {name}]({PICTURES}/curves_{name}.png)"]
    return "\n".join(lines)


def _sheet(config: ProofConfig, results: Results, mode: str, arms: Sequence[str]) -> np.ndarray:
    cells = []
    count = min(config.num_shown, len(results.articles))
    for number in range(count):
        words = results.prompts[mode][number]
        cells.append(cell(_read(config.out / "cases" / f"{number:02d}_sketch.png"), [words]))
        cells.append(cell(_read(config.out / "cases" / f"{number:02d}_photo.jpg"), ["photo"]))
        for name in arms:
            score = results.scores[name, mode][f"judge_{image_term(mode)}"][number, 0].item()
            picture = _read(folder_of(config, name) / mode / f"{number:02d}.jpg")
            cells.append(cell(picture, [f"{results.records[name]['title']}, {score:.2f}"]))
    return sheet(cells, columns=2 + len(arms))


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT)))


def _training(results: Results) -> str:
    """What trained arms ended with."""
    names = "updates loss denoising temporal preference accuracy beta winner_change loser_change safeguard".split()
    rows = []
    for record in results.records.values():
        found = record["training"]
        if found:
            settings = ", ".join(f"{key} {value}" for key, value in record["settings"]["changes"].items()) or "-"
            rows.append([record["title"], settings, *(f"{found[n]:.5g}" if n in found else "-" for n in names)])
    if not rows:
        return ""
    first = next(record for record in results.records.values() if record["training"])
    default = json.dumps(first["settings"]["training"])
    titles = [name.replace("_", " ") for name in names]
    lines = [
        "## Training",
        "",
        "Means over the last tenth of the updates. Safeguard: what the loser keeps of its gradient.",
    ]
    return "\n".join(
        [*lines, "", table(["arm", "differs in", *titles], rows), "", f"Settings of the first: `{default}`."]
    )


def _cost(results: Results) -> str:
    rows = []
    for record in results.records.values():
        seconds = record["seconds"]
        parts = ", ".join(f"{name} {value:.0f}" for name, value in seconds.items())
        expected = sum(record["expected_seconds"].values())
        rows.append([record["title"], f"{sum(seconds.values()):.0f}", parts, f"{expected:.0f}"])
    return "\n".join(["## Cost", "", table(["arm", "seconds", "of them", "expected on one H100"], rows)])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(text.replace("|", "\\|") for text in line) + " |" for line in lines)

"""docs/RESULTS.md from the files that arms left: targets, tables with intervals, sample sheets, curves, cost, commands.

In: OUT/arms and OUT/cases. Out: a Markdown file and pictures beside it; nothing is written by hand, and nothing is
written before there is a result. Knows nothing of models.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.data.categories import get_category
from train.files import save_text
from train.intervals import Interval
from train.proof.appendix import cost, how, training
from train.proof.compare import own_figures
from train.proof.files import RESULT, folder_of, read_cases, read_json, read_scores
from train.proof.market import MARKET
from train.proof.measures import image_term
from train.proof.overview import comparisons, in_short, left_out, write_win_chart
from train.proof.plan import ALL_MODES, TWO_MODES, Arm
from train.proof.settings import ProofConfig
from train.proof.tabular import table
from train.proof.targets import Results, Verdict, best_trained, judge_all, missed, text_of
from train.settings import DpoConfig
from train.starter.sheets import cell, sheet

PICTURES = "results"  # folder beside the report
SHOWN_ARMS = ("base", "temporal-0", "dpo-0", "control-0", "rejection-0", "shuffled")
CURVES = ("temporal-0", "dpo-0")
# column -> (tensor, digits); {image} is the picture that a mode compares with
SIMILAR = {
    "CLIP-I reward": ("reward_{image}", 3),
    "CLIP-I judge": ("judge_{image}", 3),
    "CLIP-T reward": ("reward_text", 3),
    "CLIP-T judge": ("judge_text", 3),
    "shown, judge": ("judge_shown", 3),
}
LOOKS = {
    "KID x 1000": ("kid", 2),
    "pairwise distance": ("diversity", 3),
    "Vendi": ("vendi", 3),
    "saturation": ("saturation", 3),
    "outline IoU": ("outline_iou", 3),
    "inner lines": ("inner_lines", 3),
}
GAINS = {
    "wins, judge": ("judge_wins", 3),
    "wins, reward": ("reward_wins", 3),
    "gain, judge (SD)": ("judge_gain", 3),
    "gain, reward (SD)": ("reward_gain", 3),
    "CLIP-I judge": ("judge_{image}_change", 4),
    "CLIP-I reward": ("reward_{image}_change", 4),
}
CHANGES = {
    "saturation": ("saturation_change", 4),
    "pairwise distance (share)": ("diversity_ratio", 3),
    "Vendi (share)": ("vendi_ratio", 3),
    "outline IoU": ("outline_iou_change", 3),
    "inner lines": ("inner_lines_change", 3),
}
WORDS = {
    "oracle": "its own caption (what will sell is known); CLIP-I is the similarity to its own photo",
    "forecast": "colours and pattern from past weeks alone; CLIP-I is the mean similarity to the week's bestsellers",
    "bare": "the garment alone, so that the past weeks' pictures must tell the rest; CLIP-I as in forecast mode",
}


def read_results(config: ProofConfig, plan: Sequence[Arm]) -> Results | None:
    """What stands in the folder; None if no arm was measured.

    Raises:
        ValueError: if scores are gone, or arms were judged by different CLIPs.
    """
    cases = read_cases(config)
    if cases is None:
        return None
    records = {arm.name: read_json(folder_of(config, arm.name) / RESULT) for arm in plan}
    done = {name: record for name, record in records.items() if record}
    _check_judges(config, done)
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


def _check_judges(config: ProofConfig, records: Mapping[str, Mapping]) -> None:
    """A judge is no setting of an arm, so a run that went on with another one is only seen here."""
    judged: dict[str, list[str]] = {}
    for name, record in records.items():
        judged.setdefault(record["judge"], []).append(name)
    if len(judged) > 1:
        found = "; ".join(f"{judge}: {', '.join(names)}" for judge, names in judged.items())
        raise ValueError(
            f"--output_dir {config.output_dir} holds arms of several judges ({found}), which cannot be compared. "
            "Delete the folders of all but one judge's arms and run these again with that --judge."
        )


def write_report(config: ProofConfig, plan: Sequence[Arm]) -> str:
    """Write the report; returns what to print.

    Raises:
        ValueError: if there is nothing to report, or `read_results` refuses it.
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
        in_short(results, verdicts),
        _wins(results, pictures),
        _targets(verdicts, results),
        _notes(config),
        "## What was left out\n\n" + left_out(config, results, plan),
        *(_mode_section(results, mode) for mode in ALL_MODES if any(m == mode for _, m in results.scores)),
        _pictures(config, results, pictures),
        training(results),
        cost(results),
        how(results),
    ]
    save_text(path, "\n\n".join(part for part in parts if part) + "\n")
    met = sum(one.met is True for one in verdicts)
    return f"{path}: {len(results.records)} arms, {met} targets met, {len(missed(verdicts))} missed"


def _head(config: ProofConfig, results: Results) -> str:
    market = read_json(config.stock / MARKET)
    first = next(iter(results.records.values()))["settings"]
    counts = market["counts"]
    rows = [
        [split, *(str(counts[split][name]) for name in ("photos", "senders", "articles", "placements", "weeks"))]
        for split in counts
    ]
    return "\n".join([
        "# Results of temporal and preference training",
        "",
        "Do the past weeks' bestsellers, and training on preferences, make better designs for a week and for photos "
        "that no training has seen? Written by `python -m train.proof --stage report` from the arms' own files; not "
        "edited by hand.",
        "",
        "The photos are real (CC0, none was made by a model); **the sales are simulated**, so nothing here says what "
        "people buy. Whole weeks and whole senders are held out: no photo of a held-out sender, and no held-out week, "
        "is in training.",
        "",
        table(["split", "photos", "senders", "articles among the best", "bestsellers", "weeks"], rows),
        "",
        f"Simulated markets: {market['settings']['markets']} of {market['settings']['num_transactions']:,} sales each, "
        f"the best {market['settings']['top_k']} of a category and week count; each market has trends of its own, for "
        f"example {_example(market)}.",
        "",
        f"Measured: {len(results.articles)} held-out bestsellers ({len(set(results.articles))} articles), "
        f"{first['num_noises']} noises each, the same for every arm, {first['num_inference_steps']} denoising steps, "
        f"guidance {first['guidance_scale']:g}, starting from the model `{first['model']}`. The base has had its own "
        "training on such photos before; the question is what comes on top.",
    ])  # fmt: skip


def _example(market: dict) -> str:
    trend = market["markets"][-1]["trends"][0]
    rises = "rising" if trend["rises"] else "falling"
    category = get_category(trend["category"]).title.lower()
    return f"{trend['word']} ({trend['attribute']}) {rises} among {category} around {trend['turn']}"


def _wins(results: Results, folder: Path) -> str:
    if not write_win_chart(results, folder / "wins.png"):
        return ""
    return f"![share of wins of each arm over its reference, judge and reward]({PICTURES}/wins.png)"


def _notes(config: ProofConfig) -> str:
    """What a person concludes; kept apart, so that the report can be written again."""
    return Path(config.notes).read_text(encoding="utf-8").strip() if config.notes else ""


def _targets(verdicts: Sequence[Verdict], results: Results) -> str:
    words = {True: "met", False: "**missed**", None: "not run"}
    rows = [[one.target, one.measured, words[one.met]] for one in verdicts]
    lines = ["## Targets", "", table(["target (issue 5, point 7)", "measured", ""], rows)]
    best = {mode: best_trained(results, mode) for mode in TWO_MODES}
    named = [f"{mode}: {results.records[name]['title']}" for mode, name in best.items() if name]
    if named:
        lines += ["", f"Highest combined score under the judge, without choice among candidates: {', '.join(named)}."]
    weights = results.weights
    return "\n".join([
        *lines,
        "",
        "How to read it: intervals are 95 % bootstraps that draw whole articles, since a bestseller of several weeks "
        f"is one garment. The combined score is {weights[0]:g} CLIP-I + {weights[1]:g} CLIP-T, each in standard "
        "deviations (SD) of the reference's pictures of one case; a win is a higher score than the reference's on the "
        "same case and noise. The reward is the CLIP that candidates were chosen by in training; the judge is a CLIP "
        "of other weights that no training here has seen. KID (unbiased, on the judge's features) is the distance to "
        "the cases' own photos, lower is better. Diversity among a case's pictures: mean pairwise distance, and Vendi "
        "score (1 = all alike). Inner lines: share of the sketch's inner strokes with an edge within 4 pixels.",
    ])  # fmt: skip


def _mode_section(results: Results, mode: str) -> str:
    names = [name for name, its_mode in results.scores if its_mode == mode]
    fill = {"image": image_term(mode)}
    figures = {name: own_figures(results.scores[name, mode], results.articles) for name in names}
    first = figures[names[0]]
    lines = [
        f"## {mode.capitalize()} mode",
        "",
        f"Words: {WORDS[mode]}.",
        f"T2T, the words against the captions of the week's bestsellers (the same for all arms): reward CLIP "
        f'{text_of(first["reward_words"])}, judge {text_of(first["judge_words"])}. "Shown" is the same of what a '
        "picture shows, put into captions' words.",
    ]
    for columns in (SIMILAR, LOOKS):
        rows = [[results.records[name]["title"], *_cells(columns, figures[name], fill)] for name in names]
        lines += ["", table(["arm", *columns], rows)]
    compared = comparisons(results, mode)
    if compared:
        lines += ["", "Against its reference, on the same cases and noises:"]
        for columns in (GAINS, CHANGES):
            rows = [[title, *_cells(columns, found, fill)] for title, found in compared]
            lines += ["", table(["arm, over its reference", *columns], rows)]
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
            columns = ["sketch", *["photo"] * config.show_photos, *shown]
            lines += ["", f"![{mode}: {', '.join(columns)}]({PICTURES}/{mode}.jpg)"]
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
        if config.show_photos:
            cells.append(cell(_read(config.out / "cases" / f"{number:02d}_photo.jpg"), ["photo"]))
        for name in arms:
            score = results.scores[name, mode][f"judge_{image_term(mode)}"][number, 0].item()
            picture = _read(folder_of(config, name) / mode / f"{number:02d}.jpg")
            cells.append(cell(picture, [f"{results.records[name]['title']}, {score:.2f}"]))
    return sheet(cells, columns=1 + config.show_photos + len(arms))


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT)))

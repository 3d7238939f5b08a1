"""The figures of benchmarks.picks in words: Markdown for readers, lines for the terminal.

In: the report as it stands in report.json. Out: text. Knows nothing of models.
"""

from __future__ import annotations

from pathlib import Path

MEANINGS = {
    "judge_win_rate": "share of noises whose picture the judge finds nearer to the taste after training (0.5 = chance)",
    "judge_win_rate_known_kinds": "the same, of kinds that were picked on",
    "judge_win_rate_new_kinds": "the same, of kinds that were never picked on",
    "judge_gain": "change of the judge's liking, a difference of cosines",
    "taste_gain": "change of the designer's own measure, in lightness of 0 to 1",
    "noun_change": "change of the judge's similarity to the garment's name: what must not be lost",
}


def markdown(report: dict) -> str:
    """The report for readers."""
    figures, settings = report["figures"], report["settings"]
    rows = []
    for name, meaning in MEANINGS.items():
        if f"{name}_average" in figures:
            low, high = figures[f"{name}_interval"]
            rows.append(f"| {meaning} | {figures[f'{name}_average']:+.3f} [{low:+.3f}, {high:+.3f}] |")
    low, high = figures["diversity_ratio_interval"]
    rows.append(f"| diversity after over before | {figures['diversity_ratio']:.3f} [{low:.3f}, {high:.3f}] |")
    return "\n".join([
        "# What training on picks does",
        "",
        f"A simulated designer, who always likes dark and plain garments, picked {report['picks']} times among "
        f"{settings['num_candidates']} candidates; the model was trained on that with `train.dpo --preferences`. "
        f"Measured on {report['held_out']} sketches that nobody picked on, {settings['num_candidates']} noises each, "
        "by a CLIP that no training has seen. Intervals are 95 % bootstraps over sketches. The designer is a rule, "
        "not a person: this shows that picks move the model, not that people's tastes can be learnt.",
        "",
        "| | mean and interval |",
        "| --- | --- |",
        *rows,
        "",
        *(f"- {'met' if reached else '**missed**'}: {name}" for name, reached in report["reached"].items()),
        "",
        "![before on the left, after on the right, from the same noise](sheet.jpg)",
        "",
        f"{report['seconds']} s in the last call, {report['hardware']}. "
        f"{', '.join(f'{name} {value}' for name, value in report['versions'].items())}.",
        "",
        "```bash",
        report["command"],
        "```",
        "",
    ])  # fmt: skip


def words_of(report: dict, out: Path) -> str:
    """What the command prints."""
    figures, lines = report["figures"], []
    for name in ("judge_win_rate", "judge_gain", "taste_gain", "noun_change"):
        low, high = figures[f"{name}_interval"]
        lines.append(f"{name:16} {figures[f'{name}_average']:+.4f} [{low:+.4f}, {high:+.4f}]")
    low, high = figures["diversity_ratio_interval"]
    lines.append(f"diversity_ratio  {figures['diversity_ratio']:.4f} [{low:.4f}, {high:.4f}]")
    lines += [f"{'reached' if reached else 'MISSED'}: {name}" for name, reached in report["reached"].items()]
    return "\n".join([*lines, f"{report['picks']} picks, n = {report['held_out']} held-out sketches -> {out}"])

"""The end of the report: what trainings ended with, what everything cost, and how it was made.

In: `Results`. Out: Markdown. Knows nothing of models and files.
"""

from __future__ import annotations

from train.proof.tabular import table
from train.proof.targets import Results


def training(results: Results) -> str:
    """What trained arms ended with."""
    names = "updates loss denoising temporal preference accuracy beta winner_change loser_change".split()
    names += ["winner_penalty", "safeguard"]
    rows = []
    for record in results.records.values():
        found = record["training"]
        if found:
            settings = ", ".join(f"{key} {value}" for key, value in record["settings"]["changes"].items()) or "-"
            rows.append([record["title"], settings, *(f"{found[n]:.5g}" if n in found else "-" for n in names)])
    if not rows:
        return ""
    titles = [name.replace("_", " ") for name in names]
    lines = [
        "## Training",
        "",
        "Means over the last tenth of the updates. Accuracy: share of pairs in which the winner's error fell more than "
        "the loser's. Winner and loser change: their error over the reference's. Winner penalty: what raised "
        "winners add to the difference inside the logit. Safeguard: what the loser keeps of its gradient.",
    ]
    return "\n".join([*lines, "", table(["arm", "differs in", *titles], rows), "", *_defaults(results)])


def _defaults(results: Results) -> list[str]:
    """Settings that the plan gives; what differs stands in the table."""
    found: dict[str, dict] = {}
    for record in results.records.values():
        if record["training"]:
            changes = record["settings"]["changes"]
            own = {n: v for n, v in record["settings"]["training"].items() if n not in changes}
            kind = "temporal training" if record["settings"]["kind"] == "temporal" else "preference training"
            found[kind] = own | found.get(kind, {})
    return [
        f"Settings of {kind}: {', '.join(f'{name} {value}' for name, value in values.items())}."
        for kind, values in found.items()
    ]


def cost(results: Results) -> str:
    rows = []
    for record in results.records.values():
        seconds = record["seconds"]
        parts = ", ".join(f"{name} {value:.0f}" for name, value in seconds.items())
        rows.append([record["title"], f"{sum(seconds.values()):.0f}", parts, f"{_expected(record):.0f}"])
    return "\n".join(["## Cost", "", table(["arm", "seconds of one GPU", "of them", "expected before the run"], rows)])


def _expected(record: dict) -> float:
    """What `plan.estimate` said of an arm."""
    return sum(value for name, value in record["expected_seconds"].items() if name != "first_round")


def how(results: Results) -> str:
    records = list(results.records.values())
    commands = sorted({record["command"] for record in records})
    versions = sorted({", ".join(f"{n} {v}" for n, v in record["versions"].items()) for record in records})
    return "\n".join([
        "## How it was made",
        "",
        f"Hardware of every process: {'; '.join(sorted({record['hardware'] for record in records}))}.",
        "",
        f"Versions: {'; '.join(versions)}.",
        "",
        f"The judge's weights: {', '.join(sorted({record['judge'] for record in records}))} (first digits of their "
        "SHA-256).",
        "",
        "The README says how anyone gets the photos. Sales first (`--stage data`, with `--dataset_path PHOTOS`), then:",
        "",
        "```bash",
        *commands,
        "```",
    ])  # fmt: skip

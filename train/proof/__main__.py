"""python -m train.proof: do temporal training and DPO make better designs, on weeks and senders that nobody has seen?

In: prepared photos, an independent judge. Out: OUT/data (simulated sales as a data set), OUT/arms (one folder an arm)
and docs/RESULTS.md. The same command goes on where it stopped; --plan says what it will do and how long that takes.
Two GPUs: the same command twice, each with its own CUDA_VISIBLE_DEVICES.
"""

from __future__ import annotations

import sys
import time

from fashiondistill.cli import run_command, write_run
from train.proof.arms import open_bench, prepare
from train.proof.files import lock
from train.proof.market import make_weeks, read_market
from train.proof.plan import chosen, make_plan
from train.proof.report import write_report
from train.proof.runner import describe, run_arms
from train.proof.settings import ProofConfig


def prove(config: ProofConfig) -> str:
    """Run the stages that are asked for; returns what to print."""
    started, plan = time.monotonic(), make_plan(config)
    arms = chosen(config, plan)
    if config.plan:
        return describe(config, arms)
    config.out.mkdir(parents=True, exist_ok=True)
    write_run(config.out, config)
    lines, left = [], False
    if config.stage in ("all", "data"):
        with lock(config.out / "data", wait=True):
            counts = _stock(config)["counts"]
        lines += [
            f"{split}: {one['placements']} bestsellers, {one['articles']} photos" for split, one in counts.items()
        ]
    if config.stage in ("all", "run"):
        with lock(config.out / "data", wait=True):
            make_weeks(config)
        bench = open_bench(config, started)
        prepare(bench)
        outcome = run_arms(bench, arms)
        left = bool(outcome.late or outcome.failed)
        if outcome.late:
            lines.append(f"left for want of time: {', '.join(outcome.late)}. The same command goes on.")
        if outcome.failed:
            lines.append(f"broken, see failed.txt in its folder: {', '.join(outcome.failed)}.")
        lines += [] if left else ["all arms are done."]
    if config.stage == "report" or (config.stage == "all" and not left):
        lines.append(write_report(config, plan))
    return "\n".join(lines)


def _stock(config: ProofConfig) -> dict:
    """market.json; only simulating sales needs polars, which a machine with GPUs may lack."""
    found = read_market(config)
    if found is not None:
        return found
    from train.proof.sales import make_stock

    return make_stock(config)


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(argv, prove, ProofConfig, prog="python -m train.proof", description=__doc__.splitlines()[0])


if __name__ == "__main__":
    sys.exit(main())

"""python -m benchmarks.training: speed and memory of training on the present device, beside the plain published way.

In: sizes and a budget of seconds. Out: lines as it goes and JSON at the end (--out): measured peaks of matmuls and
convolutions, full fine-tune samples/s with its share of that peak, LoRA-DPO pairs/s with peak memory, online rounds/s
of the starter; each beside `plainway` on the same device. Weights are random where no speed depends on them.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.plainway import PlainFineTune, PlainPairs, PlainRounds
from benchmarks.roofline import measured_peaks, operations_of, wait
from benchmarks.trainingcases import DEFAULT_PAIRS, Asked, FullFineTune, LoraDpo, OnlineRounds
from fashiondistill.cli import versions
from fashiondistill.config import STARTER
from fashiondistill.diffusion.conditioning import ChannelLayout
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.diffusion.sd15 import random_pipeline
from fashiondistill.scoring import ClipScorer

TARGETS = {
    "full": 200.0,
    "full_compiled": 200.0,
    "dpo": 60.0,
    "online": 10.0,
}  # samples, pairs, rounds a second on one H200
PEAK_SHARE, PLAIN_RATIO, DPO_MEMORY_GB = 0.45, 4.0, 24.0
CASES = ("full", "full_compiled", "dpo", "online")
SHARES = {"peaks": 0.06, "full": 0.22, "full_compiled": 0.16, "dpo": 0.28, "online": 0.28}  # of the budget


WARM_UP_CALLS = 3


class Meter:
    """Measures, and says what has been measured."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.began = device, time.perf_counter()

    def say(self, text: str) -> None:
        """One line with the seconds so far."""
        print(f"[{time.perf_counter() - self.began:6.1f} s] {text}", flush=True)

    def rate(self, name: str, once: Callable[[], None], items: int, seconds: float) -> dict:
        """Items a second: calls to warm up for a third of `seconds` (one at least), then calls for the rest."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        began, times, number = time.perf_counter(), [], 0
        while number < WARM_UP_CALLS and (number == 0 or time.perf_counter() - began < seconds / 3):
            once()
            number += 1
        wait(self.device)
        warm = time.perf_counter() - began
        while not times or time.perf_counter() - began < seconds:
            start = time.perf_counter()
            once()
            wait(self.device)
            times.append(time.perf_counter() - start)
        ordered = sorted(times)
        found = {"per_second": items / ordered[len(ordered) // 2], "calls": len(times), "items_per_call": items}
        found |= {"slowest_call_s": ordered[-1], "warm_up_s": warm, "peak_memory_gb": peak_memory(self.device)}
        memory = f", {found['peak_memory_gb']:.1f} GB" if found["peak_memory_gb"] is not None else ""
        self.say(f"{name}: {found['per_second']:.3g} a second (median of {len(times)} calls of {items}{memory})")
        return found


def peak_memory(device: torch.device) -> float | None:
    """GB allocated at most since it was last reset; None on a CPU."""
    return torch.cuda.max_memory_allocated() / 1e9 if device.type == "cuda" else None


def measure_full(asked: Asked, meter: Meter, seconds: float, peaks: dict[str, float]) -> dict:
    """Full fine-tune, its operations, and the plain way."""
    case = FullFineTune(dataclasses.replace(asked, compile=False))  # torch counts nothing inside a compiled graph
    found = {"ours": meter.rate(case.name, case.once, case.items, 0.6 * seconds)}
    found["tflop_per_sample"] = operations_of(case.once) / case.items / 1e12
    found |= against_peaks(found["ours"]["per_second"], found["tflop_per_sample"], peaks, meter)
    plain = PlainFineTune(case, asked.image_size)
    found["plain"] = meter.rate("  the plain way", plain.once, plain.items, 0.4 * seconds)
    return found


def measure_compiled(asked: Asked, meter: Meter, seconds: float, before: dict) -> dict:
    """The same under torch.compile; operations and the plain way are those measured before."""
    case = FullFineTune(dataclasses.replace(asked, compile=True))
    found = {"ours": meter.rate(f"{case.name}, compiled", case.once, case.items, seconds)}
    if "full" in before:
        found |= {name: before["full"][name] for name in ("plain", "tflop_per_sample")}
        operations = found["tflop_per_sample"]
        found |= against_peaks(found["ours"]["per_second"], operations, before["peaks_tflops"], meter)
    return found


def against_peaks(rate: float, tflop: float, peaks: dict[str, float], meter: Meter) -> dict:
    """Share of what the device's own matmuls and convolutions reach."""
    reached = rate * tflop
    found = {f"share_of_{name}_peak": reached / peak for name, peak in peaks.items()} | {"tflop_per_second": reached}
    meter.say(f"  {reached:.3g} TFLOP/s, {found['share_of_matmul_peak']:.1%} of the measured matmul peak")
    return found


def measure_dpo(asked: Asked, meter: Meter, seconds: float) -> dict:
    """LoRA-DPO updates, the memory of drawing four candidates, and the plain way."""
    case = LoraDpo(asked)
    found = {"ours": meter.rate(case.name, case.once, case.items, 0.4 * seconds)}
    found["small"] = meter.rate("  4 pairs at a time", case.once_small, DEFAULT_PAIRS, 0.1 * seconds)
    found["drawing"] = meter.rate("  candidates of one prompt", case.draw, asked.num_candidates, 0.1 * seconds)
    plain = PlainPairs(case, asked.image_size)
    found["plain"] = meter.rate("  the plain way", plain.once, plain.items, 0.4 * seconds)
    return found


def measure_online(asked: Asked, meter: Meter, seconds: float) -> dict:
    """Online rounds of the starter and the plain way."""
    if asked.size == "sd15":
        pipeline = GarmentPipeline.from_pretrained(STARTER, torch_dtype=torch.float32, local_files_only=True)
    else:
        pipeline = random_pipeline(ChannelLayout(), size=asked.size)
    case = OnlineRounds(asked, pipeline, ClipScorer.load(STARTER / "clip", asked.device))
    found = {"ours": meter.rate(case.name, case.once, case.items, 0.6 * seconds)}
    plain = PlainRounds(case, asked.image_size)
    found["plain"] = meter.rate("  the plain way", plain.once, plain.items, 0.4 * seconds)
    return found


def run(asked: Asked, cases: list[str], max_seconds: float) -> dict:
    """Everything that was asked for, as JSON."""
    device = torch.device(asked.device)
    meter = Meter(device)
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    peaks = measured_peaks(device, dtype, at_least=SHARES["peaks"] * max_seconds / 2)
    meter.say(
        f"measured peaks: matmul {peaks['matmul']:.4g} TFLOP/s, convolution {peaks['conv']:.4g} TFLOP/s ({dtype})"
    )
    results: dict = {"peaks_tflops": peaks}
    scale = (1 - SHARES["peaks"]) / sum(SHARES[name] for name in cases)
    for name in cases:
        seconds = SHARES[name] * scale * max_seconds
        if name == "full":
            found = measure_full(asked, meter, seconds, peaks)
        elif name == "full_compiled":
            found = measure_compiled(asked, meter, seconds, results)
        else:
            found = (measure_dpo if name == "dpo" else measure_online)(asked, meter, seconds)
        if "plain" in found:
            found["ratio_to_plain"] = found["ours"]["per_second"] / found["plain"]["per_second"]
            meter.say(f"  ratio to the plain way: {found['ratio_to_plain']:.2f}")
        results[name] = found
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
    results["seconds"] = time.perf_counter() - meter.began
    return results


def verdicts(results: dict) -> list[str]:
    """Each target of an H200 beside what was measured; only meaningful there, at full size."""
    lines = []
    for name, target in TARGETS.items():
        if name not in results:
            continue
        one = results[name]
        rate, ratio = one["ours"]["per_second"], one.get("ratio_to_plain", 0.0)
        reached = rate >= target or one.get("share_of_matmul_peak", 0) >= PEAK_SHARE
        lines.append(f"{name}: {rate:.4g} a second, target {target:g}: {_word(reached)}")
        lines.append(f"{name}: {ratio:.2f} x plain, target {PLAIN_RATIO:g}: {_word(ratio >= PLAIN_RATIO)}")
    if "dpo" in results and results["dpo"]["small"]["peak_memory_gb"] is not None:
        most = max(results["dpo"][part]["peak_memory_gb"] for part in ("small", "drawing"))
        lines.append(f"dpo: {most:.1f} GB, target {DPO_MEMORY_GB:g}: {_word(most < DPO_MEMORY_GB)}")
    return lines


def _word(reached: bool) -> str:
    return "met" if reached else "missed"


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to run")
    parser.add_argument("--size", default="sd15", choices=("sd15", "tiny"), help="shapes of the UNet (default: sd15)")
    parser.add_argument(
        "--cases", nargs="+", default=[], choices=CASES, help="what to measure (default: all; on a CPU not compiled)"
    )
    parser.add_argument("--image_size", nargs=2, type=int, default=[512, 384], help="height and width")
    parser.add_argument("--batch", type=int, default=32, help="samples of a full update (default: 32)")
    parser.add_argument("--pairs", type=int, default=16, help="pairs of a LoRA-DPO update (default: 16)")
    parser.add_argument("--prompts", type=int, default=16, help="prompts of an online round's batch (default: 16)")
    parser.add_argument("--steps", type=int, default=6, help="denoising steps of candidates (default: 6)")
    parser.add_argument("--compile", action="store_true", help="torch.compile the UNet of dpo and online, too")
    parser.add_argument("--max_seconds", type=float, default=300, help="budget of wall time (default: 300)")
    parser.add_argument("--out", default="", help="file for the JSON (default: printed only)")
    flags = parser.parse_args(argv)
    device = flags.device if flags.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    cases = flags.cases or [name for name in CASES if device == "cuda" or name != "full_compiled"]
    with tempfile.TemporaryDirectory() as folder:
        asked = Asked(
            device, flags.size, flags.batch, flags.pairs, flags.prompts, tuple(flags.image_size), flags.steps,
            flags.compile, Path(folder),
        )  # fmt: skip
        results = run(asked, cases, flags.max_seconds)
    name = torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()
    results |= {"device": name, "flags": vars(flags), "versions": versions()}
    print(json.dumps(results, indent=1))
    if device == "cuda" and flags.size == "sd15":
        print("\n".join(verdicts(results)))
    if flags.out:
        Path(flags.out).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

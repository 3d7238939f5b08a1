"""benchmarks.training on a CPU with tiny shapes: every case runs, ours and the plain way, and the figures add up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks.roofline import operations_of
from benchmarks.training import main, verdicts


def test_every_case_is_measured_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "--device cpu --size tiny --image_size 64 64 --batch 1 --pairs 1 --prompts 1 --steps 2 --max_seconds 0.5"
    assert main([*words.split(), "--out", str(tmp_path / "speed.json")]) == 0
    found = json.loads((tmp_path / "speed.json").read_text())
    for name in ("full", "dpo", "online"):
        ours, plain = found[name]["ours"], found[name]["plain"]
        assert ours["per_second"] > 0 and ours["calls"] >= 1 and ours["peak_memory_gb"] is None
        assert found[name]["ratio_to_plain"] == pytest.approx(ours["per_second"] / plain["per_second"])
    reached = found["full"]["tflop_per_sample"] * found["full"]["ours"]["per_second"]
    assert found["full"]["share_of_matmul_peak"] == pytest.approx(reached / found["peaks_tflops"]["matmul"])
    assert found["dpo"]["drawing"]["items_per_call"] == 4
    assert "full fine-tune, cached latents" in capsys.readouterr().out


def test_operations_are_counted_forward_and_backward() -> None:
    values, weights = torch.ones(4, 8), torch.ones(8, 16, requires_grad=True)
    assert operations_of(lambda: (values @ weights).sum().backward()) == 2 * 2 * 4 * 8 * 16


def test_targets_are_judged_one_by_one() -> None:
    one = {"ours": {"per_second": 100.0}, "drawing": {"peak_memory_gb": 9.0}, "small": {"peak_memory_gb": 25.0}}
    one |= {"ratio_to_plain": 5.0}
    found = verdicts({"full": one | {"share_of_matmul_peak": 0.5}, "full_compiled": one, "dpo": one, "online": one})
    words = [line.rpartition(" ")[2] for line in found]
    assert words == ["met", "met", "missed", "met", "met", "met", "met", "met", "missed"]

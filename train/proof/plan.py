"""The arms of the proof in order of importance, what each one needs, and what it should cost.

In: `ProofConfig`. Out: `Arm`s and seconds. A run that is cut off has the arms before the cut, so the main comparison
stands first, then further seeds, then ablations. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from train.proof.settings import ProofConfig

ORACLE, FORECAST, BARE = "oracle", "forecast", "bare"  # what the words come from, see `cases`
ALL_MODES, TWO_MODES = (ORACLE, FORECAST, BARE), (ORACLE, FORECAST)
AS_IS, TEMPORAL, DPO = "as_is", "temporal", "dpo"

# One H100, UNet of the third starter, compiled: 177 ms forward and backward of 320 samples (docs/LOG.md).
TRAIN_MS = 177 / 320
FORWARD_MS = TRAIN_MS / 3
# Not measured: our loop does not compile the UNet. The first arm's own time tells; `--plan` then uses that instead.
EAGER = 1.6
DECODE_MS = 2.0  # autoencoder and both CLIPs, a picture; a guess from 6.6 ms a candidate in all (RECIPES, trial)
ADHERENCE_MS = 30.0  # outline, strokes and judge's features of one picture, on the CPU
LOADER_MS = 40.0  # an update's batch and draws
OPEN_SECONDS = 20.0  # models, data set and tables of an arm that trains
SETTLE_SECONDS = 6.0  # the same of an arm that only draws
PREPARE_SECONDS = 90.0  # linking weeks, encoding pictures and captions, once


@dataclass(frozen=True)
class Arm:
    """One row of the table.

    Attributes:
        name: of its folder.
        title: of its row.
        kind: "as_is" = draws with the model of `start`; "temporal" and "dpo" train one that begins there.
        start: arm whose model it takes; "" = the bundled starter.
        reference: arm that it is compared with; "" = none.
        modes: where its words come from.
        seed: of training.
        take: candidates of which the reward takes one.
        shuffled: whether the past weeks are another week's.
        changes: settings of training that differ from the plan's.
        group: "main", "seeds" or "ablations".
    """

    name: str
    title: str
    kind: str
    start: str
    reference: str
    modes: tuple[str, ...]
    seed: int = 0
    take: int = 1
    shuffled: bool = False
    changes: Mapping[str, object] = field(default_factory=dict)
    group: str = "main"

    @property
    def needs(self) -> tuple[str, ...]:
        """Arms that must be done before; a reference is asked for by the report alone."""
        return (self.start,) if self.start else ()


def make_plan(config: ProofConfig) -> tuple[Arm, ...]:
    """All arms; one stands after everything that it needs."""
    take, num = config.best_of, config.num_candidates
    no_pairs = {"dpo_weight": 0.0, "anchor_weight": 1.0}
    first = (
        Arm("base", "base (bundled starter)", AS_IS, "", "", ALL_MODES),
        Arm("temporal-0", "temporal", TEMPORAL, "", "base", ALL_MODES),
        _dpo(0),
        Arm("control-0", "real data alone, same updates", DPO, "temporal-0", "temporal-0", TWO_MODES, changes=no_pairs),
        Arm(
            "rejection-0", "rejection fine-tuning, same samples", DPO, "temporal-0", "temporal-0", TWO_MODES,
            changes={"preference_loss": "rft"},
        ),
        Arm(f"best-of-{take}", f"best of {take}, no training", AS_IS, "temporal-0", "temporal-0", TWO_MODES, take=take),
        Arm("shuffled", "temporal, weeks shuffled", AS_IS, "temporal-0", "temporal-0", ALL_MODES, shuffled=True),
        Arm("shuffled-dpo", "temporal + DPO, weeks shuffled", AS_IS, "dpo-0", "dpo-0", TWO_MODES, shuffled=True),
    )  # fmt: skip
    seeds = []
    for seed in range(1, config.num_seeds):
        title = f"temporal, seed {seed}"
        seeds.append(Arm(f"temporal-{seed}", title, TEMPORAL, "", "base", TWO_MODES, seed=seed, group="seeds"))
        seeds.append(_dpo(seed, group="seeds"))
    best = Arm(
        f"dpo-best-of-{take}", f"temporal + DPO, best of {take}", AS_IS, "dpo-0", f"best-of-{take}", TWO_MODES,
        take=take, group="ablations",
    )  # fmt: skip
    parts = (
        Arm("no-tokens", "temporal without trend tokens", TEMPORAL, "", "temporal-0", ALL_MODES, group="ablations",
            changes={"trend_tokens": 0}),
        Arm("no-loss", "temporal without trend loss", TEMPORAL, "", "temporal-0", TWO_MODES, group="ablations",
            changes={"temporal_loss_weight": 0.0}),
    )  # fmt: skip
    fewer = max(2, num // 2)
    ways: tuple[tuple[str, str, dict[str, object]], ...] = (
        ("rate-3x", "DPO, three times the learning rate", {"learning_rate": 3 * config.dpo_lr}),
        ("beta-500", "DPO, beta 500", {"dpo_beta": 500.0}),
        ("beta-5000", "DPO, beta 5000", {"dpo_beta": 5000.0}),
        (f"candidates-{fewer}", f"DPO, {fewer} candidates", {"num_candidates": fewer}),
        ("safeguard-0.9", "DPO, safeguard 0.9", {"safeguard": 0.9}),
        ("next-week", "DPO, reward from next week's bestsellers", {"reward_target": "next_week"}),
    )
    ablations = [
        Arm(name, title, DPO, "temporal-0", "temporal-0", (ORACLE,), changes=changes, group="ablations")
        for name, title, changes in ways
    ]
    return (*first, *seeds, *parts, *ablations, best)


def _dpo(seed: int, group: str = "main") -> Arm:
    title = "temporal + DPO" + (f", seed {seed}" if seed else "")
    return Arm(f"dpo-{seed}", title, DPO, f"temporal-{seed}", f"temporal-{seed}", TWO_MODES, seed=seed, group=group)


def chosen(config: ProofConfig, plan: Sequence[Arm]) -> tuple[Arm, ...]:
    """The arms that --arms names, in the plan's order.

    Raises:
        ValueError: for a name that is not in the plan.
    """
    known = [arm.name for arm in plan]
    for name in config.arms:
        if name not in known:
            raise ValueError(f"--arms {name} is not usable: choose of {', '.join(known)}.")
    return tuple(arm for arm in plan if not config.arms or arm.name in config.arms)


@dataclass(frozen=True)
class Cost:
    """Seconds of an arm on one H100."""

    candidates: float
    updates: float
    measuring: float

    @property
    def total(self) -> float:
        """All of them, and opening."""
        return self.candidates + self.updates + self.measuring


def picture_ms(config: ProofConfig) -> float:
    """One picture: guided steps are two forward passes each."""
    return config.num_inference_steps * (2 if config.guidance_scale > 1 else 1) * FORWARD_MS * EAGER + DECODE_MS


def estimate(config: ProofConfig, arm: Arm) -> Cost:
    """What an arm should cost; an ablation takes over the first round of `dpo-0` (`arms.reuse_round`)."""
    drawn = config.num_cases * config.num_noises * arm.take * picture_ms(config)
    measuring = len(arm.modes) * (drawn + config.num_cases * ADHERENCE_MS) / 1000 + SETTLE_SECONDS
    if arm.kind == AS_IS:
        return Cost(0.0, 0.0, measuring)
    if arm.kind == TEMPORAL:
        update = config.temporal_batch * TRAIN_MS * EAGER + LOADER_MS
        return Cost(0.0, config.temporal_steps * update / 1000 + OPEN_SECONDS, measuring)
    settings = config.dpo() | dict(arm.changes)
    pairs, steps = config.dpo_batch, config.dpo_rounds * config.dpo_steps
    update = 2 * LOADER_MS + pairs * TRAIN_MS * EAGER  # the anchor: as many real pictures as pairs
    candidates = 0.0
    if settings["dpo_weight"]:
        with_reference = settings.get("preference_loss", "dpo") == "dpo"
        update += 2 * pairs * (TRAIN_MS + FORWARD_MS * with_reference) * EAGER
        rounds = config.dpo_rounds - _takes_over(arm)
        pictures = rounds * config.prompts_per_round * settings["num_candidates"]
        candidates = pictures * picture_ms(config) / 1000
    return Cost(candidates, steps * update / 1000 + OPEN_SECONDS, measuring)


def _takes_over(arm: Arm) -> bool:
    """Whether another arm has drawn this one's first round."""
    return not arm.name.startswith("dpo-") and not {"num_candidates", "reward_target", "dpo_weight"} & set(arm.changes)


def describe(config: ProofConfig, plan: Sequence[Arm], spent: Mapping[str, float]) -> str:
    """The plan as text: minutes by estimate, or as measured where an arm is done."""
    lines = ["arm                group      candidates  updates  measuring      total  so far (one GPU, seconds)"]
    so_far = PREPARE_SECONDS
    for arm in plan:
        cost = estimate(config, arm)
        total = spent.get(arm.name, cost.total)
        so_far += total
        mark = " done" if arm.name in spent else ""
        parts = f"{cost.candidates:11.0f}{cost.updates:9.0f}{cost.measuring:11.0f}{total:11.0f}{so_far:8.0f}"
        lines.append(f"{arm.name:18} {arm.group:10} {parts}{mark}")
    lines.append(
        f"{PREPARE_SECONDS:.0f} s of them for weeks and latents, once. On one GPU {so_far / 60:.0f} minutes, on two "
        f"about {(so_far + PREPARE_SECONDS) / 120:.0f}; estimates rest on {TRAIN_MS:.2f} ms a sample and update, "
        f"compiled, times {EAGER} for a UNet that is not."
    )
    return "\n".join(lines)

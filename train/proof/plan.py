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
# Not measured: our loop does not compile the UNet, since compiling takes a minute or more (docs/LOG.md) and all updates
# of an arm take about one. `pace` corrects this guess by the first arms' own times.
EAGER = 1.6
DECODE_MS = 2.0  # autoencoder and both CLIPs, a picture; a guess from 6.6 ms a candidate in all (RECIPES, trial)
ADHERENCE_MS = 10.0  # outline, strokes and judge's features of one picture: 40 ms of CPU time in up to 8 threads
LOADER_MS = 20.0  # an update's batch and draws, from memory: 0.2 ms a sample here, in up to 8 threads
OPEN_SECONDS = 8.0  # models, data set and tables of an arm that trains; 4 s on two busy cores, without the GPU's own
SETTLE_SECONDS = 4.0  # the same of an arm that only draws
PREPARE_SECONDS = 50.0  # imports, linking weeks, encoding pictures and captions, cases; once


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
            changes={"preference_loss": "rft", "winner_penalty": 0.0},
        ),
        Arm(f"best-of-{take}", f"best of {take}, no training", AS_IS, "temporal-0", "temporal-0", TWO_MODES, take=take),
        Arm("shuffled", "temporal, weeks shuffled", AS_IS, "temporal-0", "temporal-0", ALL_MODES, shuffled=True),
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
        Arm("shuffled-dpo", "temporal + DPO, weeks shuffled", AS_IS, "dpo-0", "dpo-0", TWO_MODES, shuffled=True,
            group="ablations"),
        Arm("no-tokens", "temporal without trend tokens", TEMPORAL, "", "temporal-0", ALL_MODES, group="ablations",
            changes={"trend_tokens": 0}),
        Arm("no-loss", "temporal without trend loss", TEMPORAL, "", "temporal-0", TWO_MODES, group="ablations",
            changes={"temporal_loss_weight": 0.0}),
    )  # fmt: skip
    fewer = max(2, num // 2)
    ways: tuple[tuple[str, str, dict[str, object]], ...] = (
        ("beta-500", "DPO, beta 500", {"dpo_beta": 500.0}),
        ("beta-5000", "DPO, beta 5000", {"dpo_beta": 5000.0}),
        (f"candidates-{fewer}", f"DPO, {fewer} candidates", {"num_candidates": fewer}),
        ("rate-3x", "DPO, three times the learning rate", {"learning_rate": 3 * config.dpo_lr}),
        ("no-penalty", "DPO without winner penalty", {"winner_penalty": 0.0}),
        ("safeguard-0.9", "DPO, safeguard 0.9 instead of the penalty", {"safeguard": 0.9, "winner_penalty": 0.0}),
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
    """Seconds of an arm on one H100.

    Attributes:
        opening: models, data set and tables of a training; 0 without one.
        candidates: all rounds that it draws itself.
        first_round: opening and the first of them.
        updates: of training.
        measuring: drawing and measuring, with opening.
    """

    opening: float
    candidates: float
    first_round: float
    updates: float
    measuring: float

    @property
    def training(self) -> float:
        """Of the task that trains."""
        return self.opening + self.candidates + self.updates

    @property
    def total(self) -> float:
        """All of them."""
        return self.training + self.measuring


def picture_ms(config: ProofConfig) -> float:
    """One picture: guided steps are two forward passes each."""
    return config.num_inference_steps * (2 if config.guidance_scale > 1 else 1) * FORWARD_MS * EAGER + DECODE_MS


def estimate(config: ProofConfig, arm: Arm) -> Cost:
    """What an arm should cost; an ablation takes over the first round of `dpo-0` (`arms.reuse_round`)."""
    drawn = config.num_cases * config.num_noises * arm.take * picture_ms(config)
    measuring = len(arm.modes) * (drawn + config.num_cases * ADHERENCE_MS) / 1000 + SETTLE_SECONDS
    if arm.kind == AS_IS:
        return Cost(0.0, 0.0, 0.0, 0.0, measuring)
    if arm.kind == TEMPORAL:
        update = config.temporal_batch * TRAIN_MS * EAGER + LOADER_MS
        return Cost(OPEN_SECONDS, 0.0, 0.0, config.temporal_steps * update / 1000, measuring)
    settings = config.dpo() | dict(arm.changes)
    pairs, steps = config.dpo_batch, config.dpo_rounds * config.dpo_steps
    update = 2 * LOADER_MS + pairs * TRAIN_MS * EAGER  # the anchor: as many real pictures as pairs
    rounds, one = 0, 0.0
    if settings["dpo_weight"]:
        with_reference = settings.get("preference_loss", "dpo") == "dpo"
        update += 2 * pairs * (TRAIN_MS + FORWARD_MS * with_reference) * EAGER
        rounds = config.dpo_rounds - takes_over(arm)
        one = config.prompts_per_round * settings["num_candidates"] * picture_ms(config) / 1000
    return Cost(OPEN_SECONDS, rounds * one, OPEN_SECONDS + one, steps * update / 1000, measuring)


def takes_over(arm: Arm) -> bool:
    """Whether another arm has drawn this one's first round."""
    drawn_anew = {"num_candidates", "reward_target", "dpo_weight"} & set(arm.changes)
    return arm.kind == DPO and not arm.name.startswith("dpo-") and not drawn_anew

"""Who does what next: an arm's training and its measuring are tasks, of which each process takes the first free one.

In: arms in order of importance, what is done, what others hold. Out: the next `Task`, and for --plan a simulated
timeline of several processes that choose by the same rule. A model that others start from is so trained on without
waiting until it has been measured. Knows nothing of models and files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from train.proof.plan import AS_IS, Arm, Cost, takes_over

TRAIN, MEASURE = "train", "measure"


@dataclass(frozen=True)
class Task:
    """Half of an arm: its training, or drawing and measuring with its model."""

    kind: str
    arm: Arm

    @property
    def name(self) -> str:
        """As it is shown and named by `needs`."""
        return f"{self.kind} {self.arm.name}"

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the tasks whose result it begins with."""
        if self.kind == MEASURE and self.arm.kind != AS_IS:
            return (f"{TRAIN} {self.arm.name}",)
        return (f"{TRAIN} {self.arm.start}",) if self.arm.start else ()

    @property
    def follows(self) -> str:
        """The training whose first round it takes over; "" if it draws its own."""
        return f"{TRAIN} dpo-{self.arm.seed}" if self.kind == TRAIN and takes_over(self.arm) else ""


def tasks_of(arms: Sequence[Arm]) -> tuple[Task, ...]:
    """The tasks in order of importance.

    Main arms and seeds are trained before any of their group is measured, since others start from them; ablations one
    by one, since a run that is cut off shall leave whole ones.
    """
    tasks: list[Task] = []
    for group in ("main", "seeds"):
        own = [arm for arm in arms if arm.group == group]
        tasks += [Task(TRAIN, arm) for arm in own if arm.kind != AS_IS]
        tasks += [Task(MEASURE, arm) for arm in own]
    for arm in arms:
        if arm.group == "ablations":
            tasks += [Task(TRAIN, arm)] * (arm.kind != AS_IS) + [Task(MEASURE, arm)]
    return tuple(tasks)


def ready(task: Task, done: Collection[str], coming: Collection[str], has_round: Callable[[str], bool]) -> bool:
    """Whether a task can begin.

    Args:
        task: the one.
        done: names of tasks that are done.
        coming: names of those that are held by somebody or will still be taken.
        has_round: whether a training has drawn its first round.
    """
    if any(name not in done for name in task.needs):
        return False
    source = task.follows
    return not source or source in done or source not in coming or has_round(source)


def seconds_of(task: Task, cost: Cost) -> float:
    """What a task should take."""
    return cost.training if task.kind == TRAIN else cost.measuring


def seconds_left(task: Task, cost: Cost) -> float:
    """What must be left of the time for a task to be worth beginning: a model that nobody measures tells nothing."""
    return cost.training + cost.measuring if task.kind == TRAIN else cost.measuring


@dataclass(frozen=True)
class Slot:
    """A task on a worker's timeline; seconds from when everything is prepared."""

    worker: int
    start: float
    end: float
    task: Task


def timeline(
    tasks: Sequence[Task], before: Collection[str], costs: Mapping[str, Cost], sizes: tuple[int, float]
) -> tuple[list[Slot], list[str]]:
    """What several processes would do with the costs of each arm, and the names of tasks that do not fit.

    Args:
        tasks: what is left, in order.
        before: names of the trainings that are done.
        costs: by arm.
        sizes: number of processes, and seconds after which nothing may end (0 = none).
    """
    workers, limit = sizes
    waiting, slots, late = list(tasks), [], []
    ends: dict[str, float] = {}
    rounds: dict[str, float] = {}
    free = [0.0] * workers
    now = 0.0
    while waiting:
        worker = min((n for n in range(workers) if free[n] <= now), key=lambda n: free[n], default=None)
        found = None if worker is None else _next(waiting, before, ends, rounds, now)
        if found is None:
            later = [t for t in (*ends.values(), *rounds.values(), *free) if t > now]
            if not later:
                break  # what is left needs something that does not fit
            now = min(later)
            continue
        waiting.remove(found)
        cost = costs[found.arm.name]
        if limit and now + seconds_left(found, cost) > limit:
            late.append(found.name)
            continue
        end = now + seconds_of(found, cost)
        slots.append(Slot(worker, now, end, found))
        ends[found.name], free[worker] = end, end
        if found.kind == TRAIN and cost.candidates:
            rounds[found.name] = now + cost.first_round
    return slots, late + [task.name for task in waiting]


def _next(
    waiting: Sequence[Task], before: Collection[str], ends: Mapping[str, float], rounds: Mapping[str, float], now: float
) -> Task | None:
    needed = {name for task in waiting for name in (*task.needs, task.follows) if name}
    done = {name for name in needed if name in before} | {name for name, end in ends.items() if end <= now}
    coming = {task.name for task in waiting} | set(ends)
    drawn = lambda name: rounds.get(name, now + 1) <= now  # noqa: E731
    return next((task for task in waiting if ready(task, done, coming - done, drawn)), None)

"""Several processes of one stage: equal updates from different draws, and one clock."""

from __future__ import annotations

import os
import socket

import torch
import torch.multiprocessing
from torch import nn

from train.starter.ranks import Ranks, join_ranks

COUNT = 2


def _model() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 2).to(memory_format=torch.contiguous_format)


def _loss(model: nn.Linear, draw: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(draw)
    return model(torch.randn(4, 3, generator=generator)).square().mean()


def _one_rank(rank: int, port: int, folder: str) -> None:
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(COUNT)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = join_ranks("cpu")
    model = _model()
    _loss(model, ranks.rank).backward()
    ranks.average_gradients(model.parameters())
    followed = torch.tensor(ranks.follow(10.0 + rank, 20.0 + rank))
    torch.save([model.weight.grad, model.bias.grad, followed, torch.tensor(ranks.leads)], f"{folder}/{rank}.pt")
    ranks.leave()


def test_two_processes_make_the_update_of_both_their_draws(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(_one_rank, (port, str(tmp_path)), nprocs=COUNT)
    found = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(COUNT)]
    model = _model()
    (sum(_loss(model, draw) for draw in range(COUNT)) / COUNT).backward()
    for weight, bias, followed, _ in found:
        assert torch.allclose(weight, model.weight.grad) and torch.allclose(bias, model.bias.grad)
        assert followed.tolist() == [10.0, 20.0]  # the first process's
    assert [bool(leads) for *_, leads in found] == [True, False]


def test_alone_nothing_changes():
    ranks, model = join_ranks("cpu"), _model()
    _loss(model, 0).backward()
    before = model.weight.grad.clone()
    ranks.average_gradients(model.parameters())
    assert ranks == Ranks() and ranks.leads and torch.equal(model.weight.grad, before)
    assert ranks.follow(1.0, 2.0) == [1.0, 2.0]
    ranks.leave()

"""python -m benchmarks.loading: samples a second from disk and from the cache, against what a denoiser step consumes.

A loader keeps the device busy if it gives more samples a second than the training step takes: the bundled starter's
UNet, forward, backward and AdamW in bfloat16. Without --dataset_path the pictures are drawn, at our size (384 x 512)
and at that of H&M's (1166 x 1750). The last column is measured, not divided: the step fed by the loader, over the step
fed with the same batch again and again. Batches that were made before a measurement are taken out first, so that none
of them counts.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image

from fashiondistill.config import STARTER, DatasetConfig, PrepareDrawingsConfig
from fashiondistill.data.dataset import GarmentDataset
from fashiondistill.data.drawingset import prepare_drawings
from fashiondistill.data.folders import open_folder
from fashiondistill.data.tokens import token_counter
from fashiondistill.diffusion.batches import PREFETCHED_BATCHES, GarmentBatch, training_loader
from fashiondistill.diffusion.caches import CachedBatch, CachedDataset, cache_states, collate_cached
from fashiondistill.diffusion.conditioning import predict
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.diffusion.pipeline import GarmentPipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset_path", default="", help="data set folder; none = drawings")
    parser.add_argument("--num_drawings", type=int, default=64)
    parser.add_argument("--limit", type=int, default=300, help="samples of --dataset_path that are used")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10.0, help="time of each measurement")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    print("loading the starter", flush=True)
    pipeline = load_pipeline(STARTER, arguments.device)
    name = torch.cuda.get_device_name() if arguments.device == "cuda" else "no GPU"
    print(f"{os.cpu_count()} cores, {name}, torch {torch.__version__}, batches of {arguments.batch_size}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for label, root in _data_sets(arguments, Path(folder)):
            _measure(label, root, Path(folder) / "cache", pipeline, arguments)


def _data_sets(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Path]]:
    if arguments.dataset_path:
        yield arguments.dataset_path, Path(arguments.dataset_path)
        return
    for label, size in (("384 x 512", None), ("1166 x 1750", (1166, 1750))):
        root = folder / label.replace(" ", "")
        prepare_drawings(PrepareDrawingsConfig(out=str(root), num_drawings=arguments.num_drawings))
        for item in open_folder(root).items if size else ():
            for path in (item.image, item.sketch, item.mask):
                with Image.open(path) as picture:
                    picture.resize(size, Image.Resampling.NEAREST if picture.mode == "P" else None).save(path)
        yield label, root


def _measure(label: str, root: Path, cache: Path, pipeline: GarmentPipeline, arguments: argparse.Namespace) -> None:
    config = DatasetConfig(caption_parts=1, incomplete="leave_out", shape="pull")
    dataset = GarmentDataset(root, "train", config, count_tokens=token_counter(STARTER / "tokenizer"))
    if len(dataset) > arguments.limit:
        dataset = dataset.subset(range(0, len(dataset), -(-len(dataset) // arguments.limit)))
    cached = cache_states(dataset, pipeline, cache)
    step = _training_step(pipeline)
    encoded = collate_cached([cached[n % len(cached)] for n in range(arguments.batch_size)]).to(arguments.device)
    alone = _samples_per_second(repeat(encoded), step, arguments.seconds)
    print(f"\n{label}, {len(dataset)} pictures; the step alone takes {alone:.1f} samples/s", flush=True)
    for source, data in (("files", dataset), ("cache", cached)):
        print(f"a sample from the {source} costs {_cpu_milliseconds(data):.2f} CPU-milliseconds", flush=True)
    print(
        f"{'from':8} {'workers':>7} {'start, s':>9} {'samples/s':>10} {'of the step':>12} {'fed / alone':>12}",
        flush=True,
    )
    for source, data, options in (("files", dataset, {}), ("cache", cached, {"collate_fn": collate_cached})):
        for workers in arguments.workers:
            begin = time.monotonic()
            loader = iter(training_loader(data, batch_size=arguments.batch_size, num_workers=workers, **options))
            for _ in range(workers):  # batches come from the workers in turn, so now all of them have started
                next(loader)
            started = time.monotonic() - begin
            for _ in range(workers * PREFETCHED_BATCHES):  # the first workers made these while the last ones started
                next(loader)
            speed = _samples_per_second(loader, lambda batch: batch.to(arguments.device), arguments.seconds)
            fed = _samples_per_second(map(_as_encoded(encoded), loader), step, arguments.seconds)
            print(
                f"{source:8} {workers:7} {started:9.1f} {speed:10.0f} {speed / alone:12.2f} {fed / alone:12.2f}",
                flush=True,
            )
            del loader
            gc.collect()  # its workers end before the next ones start


def _as_encoded(encoded: CachedBatch) -> Callable[[GarmentBatch | CachedBatch], CachedBatch]:
    """Pictures are brought to the device and then stand aside: the step is the same for both sources."""

    def bring(batch: GarmentBatch | CachedBatch) -> CachedBatch:
        moved = batch.to(encoded.latents.device)
        return moved if isinstance(moved, CachedBatch) else encoded

    return bring


def _training_step(pipeline: GarmentPipeline) -> Callable[[CachedBatch], None]:
    unet = pipeline.unet.float().requires_grad_(True).train()
    optimizer = torch.optim.AdamW(unet.parameters(), lr=1e-6, fused=True)
    device = next(unet.parameters()).device

    def step(batch: CachedBatch) -> None:
        conditioning = batch.conditioning.to(device, torch.float32)
        timesteps = torch.full((len(batch),), 500, device=device)
        with torch.autocast(device.type, torch.bfloat16):
            output = predict(unet, pipeline.layout, batch.latents.float(), timesteps, conditioning)
        F.mse_loss(output.float(), batch.latents.float()).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return step


def _cpu_milliseconds(data: GarmentDataset | CachedDataset) -> float:
    """On one core, whatever else runs on the machine."""
    torch.set_num_threads(1)
    count = min(len(data), 200)
    data[0]
    start = time.process_time()
    for index in range(count):
        data[index]
    used = time.process_time() - start
    torch.set_num_threads(os.cpu_count() or 1)
    return 1000 * used / count


def _samples_per_second(batches: Iterator, use: Callable, seconds: float) -> float:
    """Samples over time, the waits included; two batches warm up."""
    for _ in range(2):
        use(next(batches))
    start, count = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        batch = next(batches)
        use(batch)
        count += len(batch)
    return count / (time.monotonic() - start)


if __name__ == "__main__":
    main()

"""Train the frozen encoder of the sample measures, `panel-encoder-1`.

    python tests/benchmarks/train_encoder.py DATA [--store URI] [--work FOLDER] [--out FILE] [--steps 900]

DATA: the folder with geostack, danube_island and soda_lakes; a synthetic survey is added. Half of each step repairs
hidden parts of panels, half tells which of DEFECTS a panel was given, in panels of several sizes and sample intervals.
What a step does depends on the seed and its number alone; an interrupted run goes on from its last checkpoint in WORK.
The weights in the package were made once and are frozen: --out must be a file that does not exist.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from seisray.config import PanelConfig
from seisray.metrics.encoder import ENCODER, FEATURES, MAP_CHANNELS, PanelEncoder, pooled
from seisray.models.masking import random_mask
from seisray.registry import Store
from seisray.shards import read_gathers
from seisray.transforms import Samples, cut_panels, normalise

Generator = np.random.Generator
SEED = 1
FIELD = {"geostack": "geostack/geostack.sgy", "danube_island": "danube_island", "soda_lakes": "soda_lakes/raw"}
SYNTHETIC = "encoder-synthetic"
SHARES = {"geostack": 0.3, "danube_island": 0.25, "soda_lakes": 0.3, SYNTHETIC: 0.15}
SIZES = ((32, 128, 48), (32, 256, 24), (48, 256, 16), (48, 512, 8))  # traces, samples, panels a half step
PATCH = (8, 16)
HIDDEN_WEIGHT = 4.0
CHECKPOINT_STEPS = 50


def filtered(x: Samples, of: Callable[[NDArray[np.complex128]], NDArray[np.complex128]]) -> Samples:
    """Return panels after a change to their 2-D spectrum."""
    return np.fft.irfft2(of(np.fft.rfft2(x)), s=x.shape[1:]).astype(np.float32)


def tilted(x: Samples, rng: Generator) -> Samples:
    """Return panels with a spectrum tilted by up to 1.5 powers of the frequency."""
    frequency = np.fft.rfftfreq(x.shape[2])
    frequency[0] = frequency[1]
    power = rng.choice([-1, 1]) * rng.uniform(0.3, 1.5)
    return filtered(x, lambda s: s * (frequency / 0.1) ** power)


def phases_random(x: Samples, rng: Generator) -> Samples:
    """Return panels with the amplitude spectrum of their own and the phases of noise."""
    noise = np.fft.rfft2(rng.normal(size=x.shape))
    return filtered(x, lambda s: np.abs(s) * noise / np.maximum(np.abs(noise), 1e-9))


def jittered(x: Samples, rng: Generator) -> Samples:
    """Return panels whose traces are shifted by random numbers of samples."""
    most = int(rng.integers(2, 12))
    shift = rng.integers(-most, most + 1, x.shape[:2])
    at = (np.arange(x.shape[2]) + shift[..., None]) % x.shape[2]
    return np.take_along_axis(x, at, axis=2)


def held(x: Samples, rng: Generator) -> Samples:
    """Return panels upsampled by holding every second or fourth sample or trace."""
    step = int(rng.choice([2, 4]))
    return np.repeat(x[:, :, ::step], step, 2) if rng.random() < 0.5 else np.repeat(x[:, ::step], step, 1)


def smoothed(x: Samples, rng: Generator) -> Samples:
    """Return panels averaged over neighbours in time, in offset or both."""
    for axis in ([1], [2], [1, 2])[rng.integers(3)]:
        for _ in range(rng.integers(1, 4)):
            x = 0.25 * np.roll(x, 1, axis) + 0.5 * x + 0.25 * np.roll(x, -1, axis)
    return x


def noisy(x: Samples, rng: Generator) -> Samples:
    """Return panels with white noise at 0 to 20 dB below their RMS."""
    level = np.sqrt(np.mean(x**2, axis=(1, 2), keepdims=True)) * 10 ** rng.uniform(-1, 0)
    return x + (level * rng.normal(size=x.shape)).astype(np.float32)


def rippled(x: Samples, rng: Generator) -> Samples:
    """Return panels with a regular ripple, as deconvolutions leave."""
    period = rng.choice([2, 4, 8])
    ripple = np.cos(2 * np.pi * np.arange(x.shape[2]) / period)
    return x + (np.std(x) * rng.uniform(0.1, 0.5) * ripple).astype(np.float32)


DEFECTS: dict[str, Callable[[Samples, Generator], Samples]] = {
    "none": lambda x, rng: x,
    "spectrum tilted": tilted,
    "phases random": phases_random,
    "traces shifted": jittered,
    "upsampled": held,
    "smoothed": smoothed,
    "noise": noisy,
    "ripple": rippled,
    "traces in random order": lambda x, rng: x[:, rng.permutation(x.shape[1])],
    "time reversed": lambda x, rng: x[:, :, ::-1],
    "two panels in one": lambda x, rng: x + rng.uniform(0.3, 1) * np.roll(x, 1, axis=0),
    "amplitudes bent": lambda x, rng: np.sign(x) * np.abs(x) ** rng.choice([0.6, 1.5]),
}


class Pretext(nn.Module):
    """The encoder with its two tasks; a patch of 8 x 16 samples is repaired from the features there."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = PanelEncoder()
        n = PATCH[0] * PATCH[1]
        self.repair = nn.Sequential(
            nn.Conv2d(MAP_CHANNELS, 96, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(96, n, 3, padding=1)
        )
        self.tell = nn.Sequential(nn.Linear(FEATURES, 64), nn.LeakyReLU(0.2), nn.Linear(64, len(DEFECTS)))

    def forward(self, whole: Tensor, spoilt: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return both losses and the share of defects told rightly; panels are (n, 1, traces, samples)."""
        hidden = random_mask(whole, share_of_traces=0.15, blocks=3)
        found = self.encoder(torch.cat([whole.masked_fill(hidden, 0), spoilt]))
        n, _, n_traces, n_samples = whole.shape
        patches = self.repair(found[:n]).unflatten(1, PATCH)  # (n, 8, 16, T/8, S/16)
        repaired = patches.permute(0, 3, 1, 4, 2).reshape(n, 1, n_traces, n_samples)
        weight = 1 + (HIDDEN_WEIGHT - 1) * hidden
        repair = (F.smooth_l1_loss(repaired, whole, reduction="none") * weight).sum() / weight.sum()
        logits = self.tell(pooled(found[n:]))
        return repair, F.cross_entropy(logits, kinds), (logits.argmax(1) == kinds).float().mean()


def load_pool(data: Path, uri: str) -> dict[str, list[Samples]]:
    """Return the live traces of every gather of each survey; surveys that the store lacks are made first."""
    from seisray.api import IngestConfig, SyntheticConfig, ingest, synthesize

    store = Store(uri)
    for name, path in FIELD.items():
        if name not in store.names("surveys"):
            ingest(name, [str(data / path)], store=uri, config=IngestConfig(), resume=True)
    if SYNTHETIC not in store.names("surveys"):
        made, _ = synthesize(SYNTHETIC, out=f"{uri}/field", config=SyntheticConfig(shots=45, grid_m=10 / 3))
        ingest(SYNTHETIC, [str(file) for file in made], store=uri, config=IngestConfig(), resume=True)
    pool: dict[str, list[Samples]] = {}
    for name in SHARES:
        survey = store.survey(name)
        gathers = (g for i in range(len(survey.shards)) for g in read_gathers(store.shard(survey, i)))
        pool[name] = [gather.samples[gather.live] for gather in gathers if gather.live.any()]
    return pool


def draw(pool: dict[str, list[Samples]], rng: Generator, n: int, config: PanelConfig) -> Samples:
    """Return n panels of random gathers, at one, two or four times their sample interval."""
    surveys = rng.choice(list(SHARES), size=n, p=list(SHARES.values()))
    found = []
    for name in surveys:
        gathers = pool[str(name)]
        gather = gathers[rng.integers(len(gathers))]
        every = int(rng.choice([e for e in (1, 1, 2, 4) if e * config.samples <= max(gather.shape[1], config.samples)]))
        kept = gather.shape[1] // every * every
        thinned = gather[:, :kept].reshape(len(gather), -1, every).mean(axis=2)
        found.append(cut_panels(thinned, rng, config, 1))
    return np.concatenate(found)


def spoil(panels: Samples, rng: Generator, gain: float) -> tuple[Samples, NDArray[np.int64]]:
    """Return panels with a defect each, normalised again, and which; four at a time share kind and strength."""
    kinds = rng.integers(len(DEFECTS), size=len(panels))
    plain, names = np.sinh(panels) / gain, list(DEFECTS)
    found = panels.copy()
    for group in np.array_split(rng.permutation(len(panels)), max(len(panels) // 4, 1)):
        kinds[group] = kinds[group[0]]
        found[group] = normalise(DEFECTS[names[kinds[group[0]]]](plain[group], rng), gain)
    return found, kinds


def train(pool: dict[str, list[Samples]], work: Path, steps: int) -> Pretext:
    """Train from the last checkpoint on; print what the tasks achieve."""
    torch.manual_seed(SEED)
    net = Pretext().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, betas=(0.9, 0.99), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps, pct_start=0.1)
    saved, first = work / "checkpoint.pt", 0
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        first = state.pop("step")
        for name, part in (("net", net), ("optimiser", optimiser), ("schedule", schedule)):
            part.load_state_dict(state[name])
    sums, began_s = np.zeros(3), time.monotonic()
    for step in range(first, steps):
        rng = np.random.default_rng([SEED, step])
        torch.manual_seed(step)
        traces, samples, n = SIZES[rng.integers(len(SIZES))]
        gain = float(np.exp(rng.uniform(np.log(3), np.log(12))))
        panels = draw(pool, rng, 2 * n, PanelConfig(traces=traces, samples=samples, gain=gain))
        spoilt_panels, kinds = spoil(panels[n:], rng, gain)
        whole, spoilt = (torch.from_numpy(part)[:, None] for part in (panels[:n], spoilt_panels))
        repair, tell, right = net(whole, spoilt, torch.from_numpy(kinds))
        optimiser.zero_grad(set_to_none=True)
        (repair + 0.5 * tell).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        sums += [repair.item(), tell.item(), right.item()]
        if (step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == steps:
            mean = sums / CHECKPOINT_STEPS
            print(
                f"step {step + 1}: repair {mean[0]:.3f}, tell {mean[1]:.3f}, right {mean[2]:.1%}, "
                f"{time.monotonic() - began_s:.0f} s",
                flush=True,
            )
            sums[:] = 0
            parts = {"net": net.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict()}
            torch.save({**parts, "step": step + 1}, saved.with_suffix(".part"))
            saved.with_suffix(".part").replace(saved)
    return net


def standardise(encoder: PanelEncoder, pool: dict[str, list[Samples]]) -> None:
    """Set the mean and the scale of each feature to those of field panels of the default size and gain."""
    field = {name: gathers for name, gathers in pool.items() if name != SYNTHETIC}
    rng = np.random.default_rng([SEED, 1 << 20])
    config = PanelConfig()
    names = list(field)
    panels = np.concatenate(
        [cut_panels(field[name][rng.integers(len(field[name]))], rng, config, 1) for name in names * 400]
    )
    with torch.inference_mode():
        found = torch.cat([pooled(encoder(part)) for part in torch.from_numpy(panels)[:, None].split(100)])
    encoder.mean.copy_(found.mean(dim=0))
    encoder.scale.copy_(found.std(dim=0).clamp(min=1e-3))


def main() -> None:
    """Train, standardise and write the weights with their manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--store", default="/tmp/encstore")
    parser.add_argument("--work", type=Path, default=Path("/tmp/encoder"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--steps", type=int, default=900)
    options = parser.parse_args()
    out = options.out or options.work / f"{ENCODER}.safetensors"
    if out.exists():
        parser.error(f"{out} exists, and a frozen encoder never changes; name another file with --out")
    options.work.mkdir(parents=True, exist_ok=True)
    pool = load_pool(options.data, options.store)
    print({name: len(gathers) for name, gathers in pool.items()}, flush=True)
    encoder = train(pool, options.work, options.steps).encoder.eval()
    standardise(encoder, pool)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    manifest = {
        "name": ENCODER,
        "what": "encoder of normalised seismic panels, for measuring generated ones",
        "task": "repair of hidden traces and blocks; telling defects: " + ", ".join(DEFECTS),
        "data": json.dumps({name: {"gathers": len(pool[name]), "share": share} for name, share in SHARES.items()}),
        "licences": "surveys: MIT, (c) 2023 Les solutions Geostack, Inc.; MIT, (c) 2022 Matthias Steiner",
        "steps": str(options.steps),
        "sizes": json.dumps(SIZES),
        "seed": str(SEED),
        "code": f"tests/benchmarks/train_encoder.py after {commit.stdout.strip()}, torch {torch.__version__}",
    }
    tensors = {name: value.contiguous() for name, value in encoder.state_dict().items()}
    out.write_bytes(safetensors.torch.save(tensors, metadata=manifest))
    print(f"{out}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()

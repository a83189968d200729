"""Pre-training by rebuilding panels, squeezed or partly hidden: the step in plain torch."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from seisray.config import AutoencoderConfig, MaskedConfig
from seisray.losses.regularisers import repair_loss
from seisray.models.autoencoder import Autoencoder, Repairer
from seisray.models.masking import random_mask
from seisray.models.unet import channels_last
from seisray.training.compilation import compiled
from seisray.training.micro_batches import parts
from seisray.training.precision import autocast
from seisray.training.resumable import Resumable
from seisray.training.schedule import step_seed
from seisray.transforms import Samples


class RebuildStep(Resumable):
    """Train an autoencoder, or a repairer of hidden parts, by one batch a call.

    wrap: puts a module under DDP; plain torch needs none. The randomness of a step comes from (seed, step, rank) alone.
    """

    parts = ("network", "optimiser", "schedule")

    def __init__(
        self,
        config: MaskedConfig,
        *,
        device: str = "cpu",
        rank: int = 0,
        wrap: Callable[[nn.Module], nn.Module] = lambda module: module,
    ) -> None:
        self.config, self.device, self.rank = config, device, rank
        torch.manual_seed(config.train.seed)
        self.network = Autoencoder(config) if isinstance(config, AutoencoderConfig) else Repairer(config.body)
        self.network.to(device)
        channels_last(self.network)
        self._autocast = autocast(config.train, device)
        self._rebuild = wrap(compiled(self.network, config.train))
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=config.lr, weight_decay=0.01)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, max_lr=config.lr, total_steps=config.train.steps + 1
        )

    def __call__(self, real: Tensor) -> dict[str, Tensor]:
        """Take one step on (batch, traces, samples) normalised panels; return its figures as 0-d tensors.

        error: mean absolute error, over what was hidden if anything was; gradient: its norm before clipping.
        """
        torch.manual_seed(step_seed(self.config.train.seed, self.step, self.rank, salt=self.salt))
        whole = real.to(self.device)
        shown, judged = self._damage(whole)
        n_judged, errors = judged.sum(), []
        self.optimiser.zero_grad(set_to_none=True)
        micro_batches = zip(*(one.chunk(self.config.accumulate) for one in (shown, whole, judged)), strict=True)
        for seen, truth, where in parts(micro_batches, self.network, self._rebuild):
            with self._autocast:
                rebuilt = self._rebuild(seen)
            error = repair_loss(rebuilt.float(), truth, where, n_hidden=n_judged)
            error.backward()
            errors.append(error.detach())
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        return {"error": torch.stack(errors).sum(), "gradient": norm.detach()}

    def _damage(self, whole: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the network sees, (batch, 1, traces, samples), and where it is judged, (batch, traces, samples).

        A repairer is judged where it could not see, an autoencoder everywhere.
        """
        config = self.config
        if not (config.hidden_traces or config.hidden_blocks):
            return whole[:, None], torch.ones_like(whole, dtype=torch.bool)
        hidden = random_mask(whole[:, None], share_of_traces=config.hidden_traces, blocks=config.hidden_blocks)
        shown = whole[:, None].masked_fill(hidden, 0)
        everywhere = isinstance(config, AutoencoderConfig)
        return shown, torch.ones_like(whole, dtype=torch.bool) if everywhere else hidden[:, 0]

    @torch.no_grad()
    def rebuild(self, panels: Samples) -> tuple[Samples, Samples, float]:
        """Return field panels as the network sees them, as it rebuilds them, and its error, always with the same holes.

        panels: (n, traces, samples). A repairer's panels keep what it saw.
        """
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.train.seed)
            whole = torch.from_numpy(panels)
            shown, judged = self._damage(whole)
        self.network.eval()
        rebuilt = torch.cat([self.network(part.to(self.device)).float().cpu() for part in shown.split(64)])
        self.network.train()
        error = repair_loss(rebuilt, whole, judged).item()
        return shown[:, 0].numpy(), torch.where(judged, rebuilt, whole).numpy(), error

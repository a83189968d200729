"""Panels to learn from: drawn from labelled gathers, each survey as often as any other."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seisray.augmentation import LabelledPanel, augment
from seisray.config import AugmentConfig, PanelConfig
from seisray.gather import Gather
from seisray.transforms import Samples
from seisray.units import ms_to_sample


class LabelledPanels:
    """Augmented panels of labelled gathers; each survey gives the same share, however many gathers it has."""

    def __init__(self, gathers: Sequence[Gather], panel: PanelConfig, config: AugmentConfig) -> None:
        self._panel, self._config = panel, config
        self._labelled: list[tuple[Samples, NDArray[np.float32]]] = [
            (gather.samples, ms_to_sample(gather.first_break_ms, gather.sample_interval_us).astype(np.float32))
            for gather in gathers
        ]
        of_survey = Counter(gather.survey for gather in gathers)
        self._share = [1 / (len(of_survey) * of_survey[gather.survey]) for gather in gathers]

    def draw(self, rng: np.random.Generator, n: int) -> LabelledPanel:
        """Return n panels as one: samples (n, traces, samples), first breaks and what is known (n, traces)."""
        chosen = rng.choice(len(self._labelled), size=n, p=self._share)
        panels = []
        for i in chosen:
            traces, breaks = self._labelled[i]
            others = self._labelled[:i] + self._labelled[i + 1 :]
            panels.append(augment(traces, breaks, rng, self._panel, self._config, others))
        samples, first_break, known = (np.stack(part) for part in zip(*panels, strict=True))
        return LabelledPanel(samples, first_break, known)

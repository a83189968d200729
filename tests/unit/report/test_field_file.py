from collections.abc import Callable

import numpy as np
import pytest

from seisray.gather import Gather
from seisray.report.field_file import mean_spectrum, plot_field_files
from seisray.report.plots import png_bytes

NOWHERE = np.full((3, 2), np.nan)


def gather(samples: np.ndarray, **how: float) -> Gather:
    return Gather(
        survey="s",
        gather_id="s-1",
        source_file="s",
        ffid=1,
        shot_point=1,
        sample_interval_us=1000,
        samples=samples,
        **how,
    )


@pytest.mark.parametrize("frequency_hz", [30.0, 120.0])
def test_the_spectrum_of_a_sine_peaks_at_its_frequency(frequency_hz: float) -> None:
    time_s = np.arange(500) / 1000
    waves = np.sin(2 * np.pi * frequency_hz * time_s) * np.array([[1.0], [50.0], [0.0]])
    found = mean_spectrum(gather(waves))
    assert found is not None
    hertz, level_db = found
    assert hertz[np.argmax(level_db)] == pytest.approx(frequency_hz)
    assert (level_db.max(), hertz[-1]) == (0, 500)


def test_a_dead_gather_has_no_spectrum_and_is_drawn_all_the_same() -> None:
    dead = gather(np.zeros((4, 50)))
    assert mean_spectrum(dead) is None
    assert png_bytes(plot_field_files([dead], source_m=NOWHERE, receiver_m=NOWHERE, title="t")).startswith(b"\x89PNG")


def test_positions_are_drawn_once_each(line_gathers: Callable[..., list[Gather]]) -> None:
    shots = line_gathers(2)
    ends = [
        np.concatenate([np.stack([getattr(g, f"{end}_x_m"), getattr(g, f"{end}_y_m")], axis=1) for g in shots])
        for end in ("source", "receiver")
    ]
    figure = plot_field_files(shots, source_m=ends[0], receiver_m=ends[1], title="line")
    labels = [text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()]
    assert "shot positions (2)" in labels
    assert "receiver positions (12)" in labels
    assert len(figure.axes) == 4


def test_a_missing_geometry_is_said() -> None:
    figure = plot_field_files([gather(np.ones((2, 9)))], source_m=NOWHERE, receiver_m=NOWHERE, title="line")
    assert "no geometry in the headers" in figure.get_suptitle()


def test_time_counts_from_the_shot() -> None:
    figure = plot_field_files([gather(np.eye(9), delay_ms=-20.0)], source_m=NOWHERE, receiver_m=NOWHERE, title="line")
    assert figure.axes[-1].get_ylim() == pytest.approx((-20 + 8.5, -20.5))

"""Two axes for many features: principal components, and UMAP where it is installed."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from seisray.cli import main
from seisray.report import projection
from seisray.report.projection import neighbourly, principal, project

NEEDS_UMAP = pytest.mark.skipif(find_spec("umap") is None, reason="umap-learn is not installed")


def test_the_first_axis_is_along_what_differs_most() -> None:
    rng = np.random.default_rng(0)
    along = rng.normal(size=200)
    features = np.stack([along, -3 * along, 0.5 * along + 0.01 * rng.normal(size=200), np.full(200, 7.0)], axis=1)
    position, explained = principal(features)
    assert position.shape == (200, 2)
    assert abs(np.corrcoef(position[:, 0], along)[0, 1]) > 0.999
    assert explained > 0.99


@NEEDS_UMAP
def test_umap_keeps_each_gather_beside_its_like_and_is_repeatable() -> None:
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 160)
    radius = np.repeat([1.0, 6.0], 80)
    features = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    position, explained = project(features, "umap")
    assert position.shape == (160, 2)
    assert np.isnan(explained)
    away = np.linalg.norm(position[:, None] - position[None], axis=2) + np.diag(np.full(160, np.inf))
    assert np.array_equal(radius[away.argmin(axis=1)], radius)
    np.testing.assert_array_equal(neighbourly(features), position)


@NEEDS_UMAP
def test_umap_takes_as_few_as_three_gathers() -> None:
    assert np.isfinite(neighbourly(np.random.default_rng(0).normal(size=(3, 5)))).all()


def test_without_umap_learn_a_map_ends_in_one_line_that_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(projection, "find_spec", lambda name: None)
    out = tmp_path / "map.png"
    assert main(["map", "line", "--model", "m", "--out", str(out), "--by", "umap", "--store", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said == "seisray: a map by UMAP needs umap-learn, which is not installed; pip install 'seisray[umap]'\n"
    assert not out.exists()

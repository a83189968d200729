"""Maps of gathers: positions, colours, and pictures of every kind of model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisray.config import AutoencoderConfig, BodyConfig, MaskedConfig, PanelConfig, config_dict
from seisray.errors import ConfigError
from seisray.gather import Gather
from seisray.ingest import ingest
from seisray.models.autoencoder import Autoencoder, Repairer
from seisray.registry import Model, Store
from seisray.report.latent_map import _place, contrast_db, latent_map
from seisray.weights import pack_weights

SMALL = {"panel": PanelConfig(traces=8, samples=32), "body": BodyConfig(channels=(2, 2, 2, 2))}


def test_contrast_is_that_of_loud_and_quiet_blocks() -> None:
    samples = np.ones((3, 640), np.float32)
    samples[:, 320:] = 10
    assert contrast_db(samples) == pytest.approx(20)
    assert np.isnan(contrast_db(np.zeros((3, 640), np.float32)))


def test_traces_that_a_gather_lacks_are_mirrored_as_in_training(line_gathers: Callable[..., list[Gather]]) -> None:
    (gather,) = line_gathers(1, n_traces=6)  # of which five are live
    panel = _place("narrow", gather, PanelConfig(traces=8, samples=32)).panel
    np.testing.assert_array_equal(panel[5:], panel[[3, 2, 1]])
    assert panel.any(axis=1).all()


@pytest.fixture(scope="module")
def store(
    ray_session: None,
    line_gathers: Callable[..., list[Gather]],
    write_segy: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """Return a store with two surveys, an autoencoder and a masked model that never learned."""
    folder = tmp_path_factory.mktemp("mapped")
    for seed, name in enumerate(("here", "there")):
        ingest(name, [str(write_segy(folder / f"{name}.sgy", line_gathers(4, seed=seed)))], store=str(folder / "store"))
    squeezed, masked = AutoencoderConfig(latent=3, **SMALL), MaskedConfig(**SMALL)
    networks = {"autoencoder": (squeezed, Autoencoder(squeezed)), "masked": (masked, Repairer(masked.body))}
    for kind, (config, network) in networks.items():
        card = Model(
            name=kind,
            version="v1",
            kind=kind,
            config=config_dict(config),
            surveys={},
            sample_interval_us=2000.0,
            parent=None,
            metrics={},
        )
        Store(str(folder / "store")).publish_model(card, pack_weights(rebuilder=network), {})
    return str(folder / "store")


@pytest.mark.parametrize("model", ["autoencoder", "masked"])
def test_a_map_holds_every_gather(model: str, store: str, tmp_path: Path) -> None:
    out = tmp_path / "map.png"
    found = latent_map(["here", "there"], model=model, out=str(out), store=store)
    assert (found.model, found.n_gathers) == (f"{model}@v1", 8)
    assert 0 < found.explained <= 1
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_map_by_umap_holds_every_gather(store: str, tmp_path: Path) -> None:
    pytest.importorskip("umap", exc_type=ImportError)
    out = tmp_path / "map.png"
    found = latent_map(["here", "there"], model="autoencoder", out=str(out), store=store, by="umap")
    assert (found.by, found.n_gathers) == ("umap", 8)
    assert np.isnan(found.explained)
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_map_that_is_no_picture_is_refused(store: str) -> None:
    with pytest.raises(ConfigError, match=r"expected a name in \.png"):
        latent_map(["here"], model="masked", out="map.html", store=store)

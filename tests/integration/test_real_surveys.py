"""Three real surveys, sample for sample against the readers that everybody uses."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import segyio

from seisray import shards
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest
from seisray.registry import Store, Survey

pytestmark = pytest.mark.usefixtures("ray_session")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def gathers_in(store: str) -> Callable[[Survey], dict[str, Gather]]:
    """Return a function that reads a survey back, by gather_id."""

    def read(survey: Survey) -> dict[str, Gather]:
        places = [Store(store).shard(survey, i) for i in range(len(survey.shards))]
        return {gather.gather_id: gather for place in places for gather in shards.read_gathers(place)}

    return read


@pytest.fixture(scope="module")
def geostack(data_folder: Path, store: str) -> Survey:
    folder = data_folder / "geostack"
    return ingest(
        "geostack", [str(folder / "geostack.sgy")], store=store, config=IngestConfig(picks=str(folder / "picks.csv"))
    )


@pytest.fixture(scope="module")
def danube(data_folder: Path, store: str) -> Survey:
    return ingest("danube", [str(data_folder / "danube_island")], store=store)


@pytest.fixture(scope="module")
def soda(data_folder: Path, store: str) -> Survey:
    folder = data_folder / "soda_lakes"
    config = IngestConfig(picks=str(folder / "picks.csv"), geometry=(str(folder / "geometry.csv"),))
    return ingest("soda", [str(folder / "raw")], store=store, config=config)


def read_segy(path: Path) -> dict[str, np.ndarray]:
    """Return the samples of each gather, by gather_id, as segyio reads them."""
    with segyio.open(str(path), ignore_geometry=True) as file:
        ffid, samples = file.attributes(segyio.TraceField.FieldRecord)[:], file.trace.raw[:]
    edges = np.flatnonzero(np.diff(ffid)) + 1
    firsts = [0, *edges]
    return {f"{path.stem}-{ffid[i]}": part for i, part in zip(firsts, np.split(samples, edges), strict=True)}


def read_seg2(path: Path) -> np.ndarray:
    """Return the samples of a shot as ObsPy reads them."""
    import obspy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ObsPy warns of every DELAY
        return np.stack([trace.data for trace in obspy.read(io.BytesIO(path.read_bytes()), format="SEG2")])


def within_int16(found: Gather, expected: np.ndarray) -> None:
    """Check the statement on int16: half a step of 1/32767 of a trace's peak at most, and 1e-4 of its RMS."""
    step = np.abs(expected).max(axis=1, keepdims=True).astype(np.float64) / 32767
    half = 0.505  # and the rounding of float32 at 32767 steps
    error = np.abs(found.samples - expected.astype(np.float64))
    assert (error <= half * step).all()
    rms = np.sqrt(np.square(expected, dtype=np.float64).mean(axis=1))
    assert (np.sqrt(np.square(error).mean(axis=1)) <= 1e-4 * rms).all()


def rms(samples: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(np.square(samples, dtype=np.float64), axis=1))


def test_counts(geostack: Survey, danube: Survey, soda: Survey) -> None:
    found = [
        (s.n_gathers, s.n_traces // s.n_gathers, s.n_samples, s.sample_interval_us) for s in (geostack, danube, soda)
    ]
    assert found == [(306, 48, 1024, 250.0), (141, 48, 1024, 250.0), (60, 96, 2048, 250.0)]
    assert [s.rejects for s in (geostack, danube, soda)] == [0, 0, 0]


def test_geostack_is_what_segyio_reads(
    geostack: Survey, data_folder: Path, gathers_in: Callable[[Survey], dict[str, Gather]]
) -> None:
    expected, found = read_segy(data_folder / "geostack" / "geostack.sgy"), gathers_in(geostack)
    assert found.keys() == expected.keys()
    for gather_id, samples in expected.items():
        within_int16(found[gather_id], samples)


def test_danube_island_in_ibm_floats_is_what_segyio_reads(
    danube: Survey, data_folder: Path, gathers_in: Callable[[Survey], dict[str, Gather]]
) -> None:
    lines = [read_segy(data_folder / "danube_island" / f"line_{line}.sgy") for line in (1, 2, 3)]
    expected, found = lines[0] | lines[1] | lines[2], gathers_in(danube)
    assert found.keys() == expected.keys()
    for gather_id, samples in expected.items():
        within_int16(found[gather_id], samples)


def test_soda_lakes_is_what_obspy_reads(
    soda: Survey, data_folder: Path, gathers_in: Callable[[Survey], dict[str, Gather]]
) -> None:
    found = gathers_in(soda)
    for path in sorted((data_folder / "soda_lakes" / "raw").iterdir()):
        within_int16(found[f"{path.stem}-{int(path.stem[-5:])}"], read_seg2(path).astype(np.float32))


@pytest.mark.parametrize("name", ["geostack", "danube", "soda"])
def test_int16_is_within_a_ten_thousandth_of_the_rms_but_on_a_few_spiky_traces(
    name: str, data_folder: Path, request: pytest.FixtureRequest, gathers_in: Callable[[Survey], dict[str, Gather]]
) -> None:
    found = gathers_in(request.getfixturevalue(name))
    if name == "soda":
        files = sorted((data_folder / "soda_lakes" / "raw").iterdir())
        pairs = [(found[f"{p.stem}-{int(p.stem[-5:])}"].samples, read_seg2(p)) for p in files]
    else:
        folder = data_folder / {"geostack": "geostack", "danube": "danube_island"}[name]
        pairs = [(found[key].samples, s) for path in sorted(folder.glob("*.sgy")) for key, s in read_segy(path).items()]
    error, size = (np.concatenate(part) for part in zip(*[(rms(a - b), rms(b)) for a, b in pairs], strict=True))
    share = error[size > 0] / size[size > 0]
    assert np.percentile(share, 95) <= 1e-4
    assert share.max() <= 2.5e-4


@pytest.mark.parametrize(
    ("name", "files"), [("exact-geostack", "geostack/geostack.sgy"), ("exact-danube", "danube_island")]
)
def test_float32_is_exact(
    name: str, files: str, data_folder: Path, store: str, gathers_in: Callable[[Survey], dict[str, Gather]]
) -> None:
    source = data_folder / files
    survey = ingest(name, [str(source)], store=store, config=IngestConfig(encoding="float32"))
    found = gathers_in(survey)
    for path in sorted(source.glob("*.sgy")) if source.is_dir() else [source]:
        for gather_id, samples in read_segy(path).items():
            np.testing.assert_array_equal(found[gather_id].samples.view(np.uint32), samples.view(np.uint32))


def read_picks(path: Path) -> dict[tuple[int, int], float]:
    rows = np.genfromtxt(path, delimiter=",", skip_header=1)
    return {(int(ffid), int(trace)): time_ms for ffid, trace, time_ms in rows}


@pytest.mark.parametrize("name", ["geostack", "soda"])
def test_every_label_is_on_its_trace_and_not_shifted(
    name: str, data_folder: Path, request: pytest.FixtureRequest, gathers_in: Callable[[Survey], dict[str, Gather]]
) -> None:
    survey = request.getfixturevalue(name)
    expected = read_picks(data_folder / {"geostack": "geostack", "soda": "soda_lakes"}[name] / "picks.csv")
    found = {
        (gather.ffid, int(trace)): gather.first_break_ms[trace - 1]
        for gather in gathers_in(survey).values()
        for trace in gather.trace[gather.labelled]
    }
    assert found.keys() == expected.keys()
    assert survey.n_labelled == len(expected)
    np.testing.assert_allclose([found[key] for key in expected], list(expected.values()), atol=1e-3)


def test_soda_lakes_has_5551_labels_on_live_traces(
    soda: Survey, gathers_in: Callable[[Survey], dict[str, Gather]]
) -> None:
    assert soda.n_labelled == 5551
    assert all(gather.live[gather.labelled].all() for gather in gathers_in(soda).values())


def test_the_delay_of_soda_lakes_is_kept(soda: Survey, gathers_in: Callable[[Survey], dict[str, Gather]]) -> None:
    assert {gather.delay_ms for gather in gathers_in(soda).values()} == {-10.0}


def test_offsets_of_soda_lakes_come_from_its_geometry(
    soda: Survey, data_folder: Path, gathers_in: Callable[[Survey], dict[str, Gather]]
) -> None:
    lines = (data_folder / "soda_lakes" / "geometry.csv").read_text().split()[1:]
    rows = [line.split(",") for line in lines]
    places = {(kind, int(number)): (float(x), float(y)) for kind, number, x, y in rows}
    for gather in gathers_in(soda).values():
        x, y = places["shot", gather.ffid]
        receivers = np.array([places["receiver", int(channel)] for channel in gather.channel])
        np.testing.assert_allclose(gather.offset_m, np.hypot(receivers[:, 0] - x, receivers[:, 1] - y), rtol=1e-5)
        assert gather.offset_m.max() < 1000


def test_geostack_has_no_geometry(geostack: Survey, gathers_in: Callable[[Survey], dict[str, Gather]]) -> None:
    gather = next(iter(gathers_in(geostack).values()))
    assert np.isnan([gather.offset_m, gather.source_x_m, gather.receiver_x_m]).all()

"""Synthetic truths of many kinds, each believed as what it is and doubted as what it is not."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seisray.errors import SegyError
from seisray.formats.segy.file import ReadAs, read_layout

MakeSegy = Callable[..., bytes]
IbmWords = Callable[[np.ndarray], np.ndarray]

SHAPE = (24, 500)
IBM, INT32, IEEE = 1, 2, 5
NAMES = {IBM: "IBM floats", INT32: "int32s", IEEE: "IEEE floats"}


def _truths() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    noise = rng.normal(size=SHAPE)
    time_s = np.arange(SHAPE[1]) / 1000
    wavelet = np.exp(-np.abs(time_s - 0.2) * 50) * np.sin(2 * np.pi * 40 * time_s)
    phase = rng.uniform(0, 2 * np.pi, (SHAPE[0], 1))
    return {
        "noise": 1234.5 * noise,
        "single-precision noise": noise.astype(np.float32).astype(np.float64),
        "tiny": 1e-30 * noise,
        "huge": 1e30 * noise,
        "integers of 16 bits": np.rint(5000 * noise),
        "integers of 24 bits": np.rint(1e6 * noise),
        "few integers": np.rint(rng.uniform(-1000, 1000, SHAPE)),
        "uniform": rng.uniform(-1, 1, SHAPE),
        "sine": np.sin(2 * np.pi * 30 * time_s + phase),
        "sine at the top of its digits": 16 * np.sin(2 * np.pi * 30 * time_s + phase),
        "wavelet": wavelet * np.geomspace(1, 1e-4, SHAPE[0])[:, None],
        "precursors": noise * np.exp(-(((time_s - 0.25) * 50) ** 2) / 2),
        "gains": noise * np.geomspace(1e-6, 1e6, SHAPE[0])[:, None],
        "heavy tails": noise * np.exp(3 * rng.normal(size=SHAPE)),
        "spikes": np.where(rng.random(SHAPE) < 0.06, 100 * noise, 0),
        "half dead": np.where(np.arange(SHAPE[0])[:, None] % 2, noise, 0),
    }


TRUTHS = _truths()
LITTLE_EVIDENCE = {
    "zeros": np.zeros(SHAPE),
    "above zero": np.abs(TRUTHS["noise"]) + 1,
    "narrow": 100 + TRUTHS["uniform"],
    "constant": np.full(SHAPE, 3.7),
    "8 bits": np.rint(30 * TRUTHS["uniform"]),
    "few spikes": np.where(np.random.default_rng(1).random(SHAPE) < 0.01, TRUTHS["noise"], 0),
}


def words_of(values: np.ndarray, format: int, ibm_words: IbmWords) -> np.ndarray:
    if format == IBM:
        return ibm_words(values)
    return values.astype(np.float32).view(np.uint32) if format == IEEE else values.astype(np.int32).view(np.uint32)


def objection(data: bytes, **read_as: object) -> str:
    """Return what is said against a file, nothing if it is believed."""
    try:
        read_layout(lambda at, n: data[at : at + n], len(data), "f.sgy", ReadAs(**read_as))  # type: ignore[arg-type]
    except SegyError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("format", [IBM, IEEE, INT32])
@pytest.mark.parametrize("name", [*TRUTHS, *LITTLE_EVIDENCE])
def test_the_truth_is_never_doubted(name: str, format: int, make_segy: MakeSegy, ibm_words: IbmWords) -> None:
    values = (TRUTHS | LITTLE_EVIDENCE)[name]
    if format == INT32 and np.abs(values).max() > 2**31:
        values = values / np.abs(values).max() * 2**30
    made = words_of(values, format, ibm_words)
    for order in "><":
        assert objection(make_segy(made, format=format, order=order)) == ""


@pytest.mark.parametrize(("truth", "claim"), [(IBM, IEEE), (IEEE, IBM), (IBM, INT32), (IEEE, INT32)])
@pytest.mark.parametrize("name", TRUTHS)
def test_another_format_is_recognised(
    name: str, truth: int, claim: int, make_segy: MakeSegy, ibm_words: IbmWords
) -> None:
    data = make_segy(words_of(TRUTHS[name], truth, ibm_words), format=claim)
    said = objection(data)
    assert f"samples are {NAMES[claim]}" in said
    assert f"look like {NAMES[truth]}; pass --sample-format {truth}, or --sample-format {claim} to" in said
    assert objection(data, sample_format=claim) == ""
    assert objection(data, sample_format=truth) == ""


@pytest.mark.parametrize("claim", [IBM, IEEE])
@pytest.mark.parametrize("truth", [IBM, IEEE])
@pytest.mark.parametrize("name", TRUTHS)
def test_swapped_samples_are_recognised(
    name: str, truth: int, claim: int, make_segy: MakeSegy, ibm_words: IbmWords
) -> None:
    swapped = words_of(TRUTHS[name], truth, ibm_words).byteswap()
    data = make_segy(swapped, format=claim)
    said = objection(data)
    assert f"headers are big-endian with samples said to be {NAMES[claim]}" in said
    assert f"look like little-endian {NAMES[truth]}; " in said
    assert "--byte-order big" in said
    assert objection(data, byte_order="big", sample_format=claim) == ""
    little = objection(make_segy(swapped, format=claim, order="<"))
    assert f"headers are little-endian with samples said to be {NAMES[claim]}" in little


@pytest.mark.parametrize("format", [IBM, IEEE])
def test_swapped_samples_of_a_narrow_range_are_recognised(
    format: int, make_segy: MakeSegy, ibm_words: IbmWords
) -> None:
    made = words_of(LITTLE_EVIDENCE["narrow"], format, ibm_words).byteswap()
    assert f"look like little-endian {NAMES[format]}" in objection(make_segy(made, format=format))


@pytest.mark.parametrize("name", ["integers of 24 bits", "integers of 16 bits"])
@pytest.mark.parametrize("claim", [IBM, IEEE, INT32])
def test_integers_are_recognised(name: str, claim: int, make_segy: MakeSegy, ibm_words: IbmWords) -> None:
    made = words_of(TRUTHS[name], INT32, ibm_words)
    if claim != INT32:
        assert "look like int32s; pass --sample-format 2" in objection(make_segy(made, format=claim))
    assert "little-endian int32s" in objection(make_segy(made.byteswap(), format=claim))


def test_swapped_float64_is_recognised(make_segy: MakeSegy) -> None:
    for values in (TRUTHS["noise"], TRUTHS["single-precision noise"]):
        assert objection(make_segy(values, format=6)) == ""
        said = objection(make_segy(values.byteswap(), format=6))
        assert "look like little-endian float64s" in said


def test_ibm_floats_that_are_not_normalised_are_no_ieee_floats(make_segy: MakeSegy) -> None:
    """Some writers put integers under one exponent, 0x46, as they are."""
    numbers = np.rint(2e5 * TRUTHS["uniform"]).astype(np.int64)
    made = (np.signbit(numbers) * 2**31 + 0x46000000 + np.abs(numbers)).astype(np.uint32)
    assert objection(make_segy(made, format=IBM)) == ""


def test_integers_at_the_upper_end_of_their_words_are_not_swapped_ones(make_segy: MakeSegy) -> None:
    made = (np.rint(2e5 * TRUTHS["noise"] / 1234.5).astype(np.int64) << 8).astype(np.int32)
    assert objection(make_segy(made, format=INT32)) == ""


@pytest.mark.parametrize("format", [IBM, IEEE])
@pytest.mark.parametrize("steps", [1000, 1024, 4000, 4096])
def test_few_values_between_1_and_2_are_not_swapped_ones(
    format: int, steps: int, make_segy: MakeSegy, ibm_words: IbmWords
) -> None:
    """With bytes swapped some of them look like floats, too, but as they are they look like amplitudes."""
    for seed in range(20):
        values = 1 + np.random.default_rng(seed).uniform(size=SHAPE)
        values = np.rint(values / values.max() * steps) * (values.max() / steps)
        assert objection(make_segy(words_of(values, format, ibm_words), format=format)) == ""


def test_ieee_floats_whose_range_avoids_a_leading_digit_of_0_are_not_ibm_floats(
    make_segy: MakeSegy, ibm_words: IbmWords
) -> None:
    values = np.random.default_rng(0).uniform(2.3, 7.9, SHAPE)
    values[::2] *= 256
    assert objection(make_segy(words_of(values, IEEE, ibm_words), format=IEEE)) == ""


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    format=st.sampled_from([IBM, IEEE]),
    scale=st.floats(-30, 30),
    decades=st.floats(0, 8),
    offset=st.sampled_from([0, 0, 1, 10]),
    law=st.sampled_from(["normal", "uniform", "laplace", "lognormal"]),
    bits=st.sampled_from([0, 10, 12, 16, 24]),
)
def test_no_distribution_of_amplitudes_is_doubted(
    seed: int,
    format: int,
    scale: float,
    decades: float,
    offset: float,
    law: str,
    bits: int,
    make_segy: MakeSegy,
    ibm_words: IbmWords,
) -> None:
    rng = np.random.default_rng(seed)
    values = getattr(rng, law)(size=SHAPE) + offset
    values *= 10 ** rng.uniform(0, decades, (SHAPE[0], 1))
    if bits:
        step = np.abs(values).max() / 2**bits
        values = np.rint(values / step) * step
    data = make_segy(words_of(values * 10**scale, format, ibm_words), format=format)
    assert objection(data) == ""


def test_the_real_surveys_are_doubted_under_every_other_label(data_folder: Path) -> None:
    truths = {"geostack/geostack.sgy": IEEE} | {f"danube_island/line_{i}.sgy": IBM for i in (1, 2, 3)}
    for name, truth in truths.items():
        data = (data_folder / name).read_bytes()
        traces = np.frombuffer(data, np.uint8, offset=3600).reshape(-1, 240 + 4 * 1024)
        swapped = traces.copy()
        swapped[:, 240:] = traces[:, 240:].reshape(len(traces), -1, 4)[:, :, ::-1].reshape(len(traces), -1)
        for claim, body in product((IBM, INT32, IEEE), (traces, swapped)):
            head = bytearray(data[:3600])
            head[3224:3226] = claim.to_bytes(2, "big")
            said = objection(bytes(head) + body.tobytes())
            expected = NAMES[truth] if body is traces else f"little-endian {NAMES[truth]}"
            assert said == "" if claim == truth and body is traces else f"look like {expected};" in said

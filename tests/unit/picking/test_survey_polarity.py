"""Records that are upside down to a picker: the one that comes with seisray learned that first breaks go up."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from pickable import write_survey
from wavelets import ricker

from seisray.config import SHIPPED, PickConfig, Polarity
from seisray.gather import Gather
from seisray.picking.engine import torch_engine
from seisray.picking.habit import with_habit
from seisray.picking.picker import GatherPicker, load_picker, weights_sha256
from seisray.picking.polarity import polarity_of, sureness_either_way, with_polarity
from seisray.picking.tempo import resampling_of
from seisray.picking.work import SurveyWork
from seisray.registry import Model, Store

N_TRACES, N_GATHERS = 24, 4


def waves(interval_us: float) -> list[Gather]:
    """Return gathers of wavelets whose first swing goes up, of 80 samples at 250 us, in noise."""
    rng, n_samples = np.random.default_rng(0), round(250_000 / interval_us)
    traces = np.array([ricker(n_samples, interval_us, at_ms=50 + i, hz=38.0) for i in range(N_TRACES)])
    return [
        Gather(
            survey="line",
            gather_id=f"line-{ffid}",
            source_file="line.sgy",
            ffid=ffid,
            shot_point=ffid,
            sample_interval_us=interval_us,
            samples=(rng.normal(scale=0.03, size=traces.shape) - traces).astype(np.float32),
            first_break_ms=np.full(N_TRACES, np.nan, np.float32),
        )
        for ffid in range(1, N_GATHERS + 1)
    ]


def upside_down(gathers: Sequence[Gather]) -> list[Gather]:
    return [gather.replace(samples=-gather.samples) for gather in gathers]


@pytest.fixture(scope="module")
def gathers() -> list[Gather]:
    return waves(250.0)


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory, gathers: list[Gather]) -> Store:
    """Return a store with surveys as the picker knows them, and the same upside down."""
    place = Store(str(tmp_path_factory.mktemp("store")))
    for name, made in (("up", gathers), ("coarse", waves(500.0))):
        write_survey(place, made, name=name, fingerprint=name)
        write_survey(place, upside_down(made), name=f"{name}-turned", fingerprint=f"{name}-turned")
    return place


def settled(store: Store, survey: str, polarity: Polarity = "auto", card: Model | None = None) -> Polarity:
    work = SurveyWork(store=str(store), survey=store.survey(survey))
    card = card or store.model(SHIPPED)
    return with_polarity(store, card, work, PickConfig(polarity=polarity), resampling_of(card, work)).polarity


def told_of_polarity(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if "polarity" in line]


def picks_of(store: Store, gather: Gather, config: PickConfig) -> np.ndarray:
    card = store.model(SHIPPED)
    how = {"sha256": weights_sha256(store, card), "sample_interval_us": gather.sample_interval_us}
    return GatherPicker(store, card, config=config, **how).rows(gather)[0]["pick_ms"].to_numpy()


@pytest.mark.parametrize("survey", ["up", "coarse"])
def test_a_survey_is_picked_the_way_up_that_the_picker_is_surer_of(
    store: Store, survey: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settled(store, survey) == "recorded"
    (said,) = told_of_polarity(capsys)
    assert said.startswith(f"survey '{survey}': polarity recorded; of 4 gathers shipped@v1 is sure by 0.")
    assert settled(store, f"{survey}-turned") == "reversed"
    (said,) = told_of_polarity(capsys)
    assert said.startswith(f"survey '{survey}-turned': polarity reversed; of 4 gathers shipped@v1 is sure by 0.")


def test_a_survey_that_was_recorded_both_ways_is_told_of(
    store: Store, gathers: list[Gather], capsys: pytest.CaptureFixture[str]
) -> None:
    write_survey(store, [*upside_down(gathers[:1]), *gathers[1:]], name="mixed", fingerprint="mixed")
    assert settled(store, "mixed") == "recorded"
    _, said = capsys.readouterr().err.splitlines()
    assert said.startswith(
        "survey 'mixed': of 1 of these gathers it is surer the other way; where a survey was recorded"
    )
    write_survey(store, [*upside_down(gathers[1:]), *gathers[:1]], name="other", fingerprint="other")
    assert settled(store, "other") == "reversed"
    _, said = capsys.readouterr().err.splitlines()
    assert said.startswith("survey 'other': of 1 of these gathers it is surer the other way")


@pytest.mark.parametrize("survey", ["up", "up-turned"])
def test_who_says_which_way_up_is_not_asked_again(store: Store, survey: str) -> None:
    assert settled(store, survey, "recorded") == "recorded"
    assert settled(store, survey, "reversed") == "reversed"


def test_a_survey_that_the_picker_learned_from_is_picked_as_it_learned(store: Store) -> None:
    card = store.model(SHIPPED)
    known = replace(card, details=card.details | {"resampled": {"up-turned": 1.0}})
    assert settled(store, "up-turned", card=known) == "recorded"


def test_picks_of_reversed_records_are_those_of_the_records(store: Store, gathers: list[Gather]) -> None:
    (turned,) = upside_down(gathers[:1])
    wanted = picks_of(store, gathers[0], PickConfig())
    assert np.isfinite(wanted).all()
    np.testing.assert_array_equal(picks_of(store, turned, PickConfig(polarity="reversed")), wanted)
    assert not np.array_equal(picks_of(store, turned, PickConfig()), wanted, equal_nan=True)


def test_a_peak_is_one_of_the_records_as_they_are(store: Store, gathers: list[Gather]) -> None:
    (turned,) = upside_down(gathers[:1])
    at = picks_of(store, turned, PickConfig(polarity="reversed", event="trough"))
    np.testing.assert_array_equal(at, picks_of(store, gathers[0], PickConfig(event="peak")))


def test_labels_of_another_survey_tell_a_habit_whichever_way_up_that_is(store: Store, gathers: list[Gather]) -> None:
    labelled = [
        gather.replace(first_break_ms=(picks_of(store, gather, PickConfig()) + 3).astype(np.float32))
        for gather in gathers
    ]
    write_survey(store, upside_down(labelled), name="labelled", fingerprint="labelled")
    work = SurveyWork(store=str(store), survey=store.survey("up"))
    config = PickConfig(polarity="recorded", habit="labelled")
    assert with_habit(store, store.model(SHIPPED), work, config, 1.0)[0].habit_ms == pytest.approx(3, abs=2e-3)


def test_gathers_that_are_not_finite_or_silent_tell_nothing(store: Store, gathers: list[Gather]) -> None:
    picker, panel = load_picker(store, store.model(SHIPPED))
    predict = torch_engine(picker)
    broken = gathers[0].replace(samples=np.where(np.arange(1000) == 7, np.nan, gathers[0].samples).astype(np.float32))
    silent = gathers[0].replace(samples=0 * gathers[0].samples, live=np.zeros(N_TRACES, bool))
    either = sureness_either_way(predict, gathers[:1], panel)
    assert either.shape == (1, 2)
    np.testing.assert_array_equal(sureness_either_way(predict, [broken, gathers[0], silent], panel), either)
    assert sureness_either_way(predict, [broken, silent], panel).shape == (0, 2)
    assert polarity_of(store, store.model(SHIPPED), [silent], "line") == "recorded"

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seisray.errors import ConfigError, ExistsError, FormatError, NotFoundError
from seisray.gather import Gather
from seisray.ingest import IngestConfig, ingest
from seisray.ingest.rejects import read_rejects
from seisray.ingest.verify import verify
from seisray.registry import Store, Survey

pytestmark = pytest.mark.usefixtures("ray_session")

LineGathers = Callable[..., list[Gather]]
WriteSegy = Callable[..., Path]
FLOAT32 = IngestConfig(encoding="float32", header=("ffid=17",))


@pytest.fixture
def files(line_gathers: LineGathers, write_segy: WriteSegy, tmp_path: Path) -> list[str]:
    """Return two files of three and two gathers, with one bad gather each."""
    made = line_gathers(5)
    for bad in (1, 4):
        made[bad].samples[0, 0] = np.inf
    return [
        str(write_segy(tmp_path / f"{name}.sgy", own)) for name, own in (("monday", made[:3]), ("tuesday", made[3:]))
    ]


def test_appended_files_are_read_as_the_others_were(
    files: list[str], store: str, gathers_in: Callable[[Survey], dict[str, Gather]]
) -> None:
    first = ingest("line", files[:1], store=store, config=FLOAT32)
    both = ingest("line", files[1:], store=store, append=True)
    assert (first.n_gathers, both.n_gathers, both.n_traces, both.rejects) == (2, 3, 36, 2)
    assert sorted(gathers_in(both)) == ["monday-1", "monday-3", "tuesday-4"]
    assert [source["name"] for source in both.sources] == ["monday", "tuesday"]
    assert [source["index"] for source in both.sources] == [0, 1]
    assert len(read_rejects(Store(store).folder("surveys", "line"))) == 2
    assert both.fingerprint != first.fingerprint
    assert verify("line", store=store).n_exact == 36


def test_a_file_is_appended_once(files: list[str], store: str, content: Callable[[str], dict[str, bytes]]) -> None:
    ingest("line", files, store=store)
    before = content(store)
    with pytest.raises(ExistsError, match=r"monday\.sgy is already in survey 'line'"):
        ingest("line", files[:1], store=store, append=True)
    assert content(store) == before


def test_there_must_be_a_survey_to_append_to(files: list[str], store: str) -> None:
    with pytest.raises(NotFoundError, match="survey 'line' does not exist"):
        ingest("line", files, store=store, append=True)


def test_other_settings_than_the_survey_has_are_refused(files: list[str], store: str) -> None:
    ingest("line", files[:1], store=store)
    with pytest.raises(ConfigError, match="encoding is 'float32', but survey 'line' was made with 'int16'"):
        ingest("line", files[1:], store=store, config=IngestConfig(encoding="float32"), append=True)


def test_another_sample_interval_leaves_the_survey_as_it_was(
    files: list[str],
    line_gathers: LineGathers,
    write_segy: WriteSegy,
    store: str,
    tmp_path: Path,
    content: Callable[[str], dict[str, bytes]],
) -> None:
    ingest("line", files, store=store)
    before = content(store)
    fine = str(write_segy(tmp_path / "fine.sgy", line_gathers(2, sample_interval_us=250.0)))
    with pytest.raises(FormatError, match=r"sample intervals \[250\.0, 1000\.0\] us"):
        ingest("line", [fine], store=store, append=True)
    assert content(store) == before


def test_labels_come_with_appended_files_too(files: list[str], store: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("ffid,trace,time_ms\n104,3,30\n")
    ingest("line", files[:1], store=store)
    both = ingest("line", files[1:], store=store, config=IngestConfig(picks=str(tmp_path / "p.csv")), append=True)
    assert both.n_labelled == 1


def test_an_append_that_is_done_can_be_resumed(files: list[str], store: str) -> None:
    ingest("line", files[:1], store=store)
    both = ingest("line", files[1:], store=store, append=True)
    assert ingest("line", files[1:], store=store, append=True, resume=True) == both


def test_labels_of_the_whole_line_fit_the_files_appended(files: list[str], store: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("ffid,trace,time_ms\n101,3,30\n104,3,30\n")
    ingest("line", files[:1], store=store)
    both = ingest("line", files[1:], store=store, config=IngestConfig(picks=str(tmp_path / "p.csv")), append=True)
    assert (both.n_labelled, both.unused_labels) == (1, 1)

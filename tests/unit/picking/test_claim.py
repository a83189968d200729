import threading
from dataclasses import replace
from pathlib import Path

import pytest

from seisray.errors import ExistsError
from seisray.picking.claim import Identity, claim
from seisray.storage import Location, locate

OURS = Identity(survey="abc", model="p@v1", weights_sha256="00", settings={"window": 512, "pick": {"engine": "torch"}})


@pytest.fixture
def folder(tmp_path: Path) -> Location:
    return locate(str(tmp_path / "picks" / "x"))


def names(folder: Location) -> list[str]:
    return [file.name for file in folder.files()]


def test_a_run_that_was_begun_is_not_begun_again_unawares(folder: Location) -> None:
    claim(folder, OURS, resume=False)
    with pytest.raises(ExistsError, match="'x' were begun with p@v1 and not finished; pass --resume"):
        claim(folder, OURS, resume=False)
    assert names(folder) == [f"run-{OURS.digest}.json"]


def test_a_run_goes_on_or_begins_with_resume(folder: Location) -> None:
    claim(folder, OURS, resume=True)
    claim(folder, OURS, resume=True)
    assert names(folder) == [f"run-{OURS.digest}.json"]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (replace(OURS, model="q@v2"), "model p@v1, not q@v2"),
        (replace(OURS, weights_sha256="ff"), "other weights of p@v1"),
        (replace(OURS, survey="def"), "other data"),
        (replace(OURS, settings=OURS.settings | {"window": 256}), "another window and not finished"),
        (replace(OURS, settings=OURS.settings | {"pick": {"engine": "bf16"}}), "another engine and not finished"),
    ],
)
@pytest.mark.parametrize("resume", [False, True])
def test_what_another_run_began_is_neither_taken_over_nor_deleted(
    folder: Location, other: Identity, said: str, resume: bool
) -> None:
    claim(folder, OURS, resume=False)
    (folder / "part-0.parquet").write_bytes(b"hours of work")
    before = names(folder)
    with pytest.raises(ExistsError, match=said):
        claim(folder, other, resume=resume)
    assert names(folder) == before


def test_parts_of_an_unknown_run_are_not_taken_over(folder: Location) -> None:
    (folder / "part-0.parquet").write_bytes(b"")
    with pytest.raises(ExistsError, match="of a run that is not known"):
        claim(folder, OURS, resume=True)


def test_of_two_runs_that_begin_at_once_never_both_go_on(tmp_path: Path) -> None:
    for attempt in range(40):
        folder = locate(str(tmp_path / f"{attempt}"))
        together, won = threading.Barrier(2), []

        def begin(
            identity: Identity, folder: Location = folder, together: threading.Barrier = together, won: list = won
        ) -> None:
            together.wait()
            try:
                claim(folder, identity, resume=False)
                won.append(identity)
            except ExistsError:
                pass

        both = [threading.Thread(target=begin, args=[one]) for one in (OURS, replace(OURS, model="q@v2"))]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert len(won) < 2
        assert names(folder) == [f"run-{one.digest}.json" for one in won]

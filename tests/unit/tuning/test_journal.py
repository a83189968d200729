"""The journal of a study: one file, replaced as a whole, in the format of Optuna's own."""

from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from seisray.errors import StorageError
from seisray.storage import Location
from seisray.tuning.journal import StoreJournal

LOGS = [{"op_code": 0, "name": "a"}, {"op_code": 4, "trial": {"x": 0.5, "text": "zwölf\n"}}]


@pytest.fixture
def journal(tmp_path: Path) -> StoreJournal:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return StoreJournal(Location(str(tmp_path / "study" / "journal.log")))


def file_of(tmp_path: Path) -> str:
    return str(tmp_path / "study" / "journal.log")


def test_a_journal_that_does_not_exist_is_empty(journal: StoreJournal) -> None:
    assert list(journal.read_logs(0)) == []


def test_entries_come_back_from_any_number_on(journal: StoreJournal) -> None:
    journal.append_logs(LOGS[:1])
    journal.append_logs(LOGS[1:])
    assert list(journal.read_logs(0)) == LOGS
    assert list(journal.read_logs(1)) == LOGS[1:]
    assert list(journal.read_logs(2)) == []


def test_optuna_reads_the_file_that_we_write(journal: StoreJournal, tmp_path: Path) -> None:
    study = optuna.create_study(storage=JournalStorage(journal), study_name="s", direction="maximize")
    trial = study.ask()
    trial.suggest_float("lr", 1e-4, 1e-2, log=True)
    trial.report(0.5, 10)
    study.tell(trial, 0.75)
    study.tell(study.ask(), state=TrialState.FAIL)
    theirs = optuna.load_study(study_name="s", storage=JournalStorage(JournalFileBackend(file_of(tmp_path))))
    assert [(t.state, t.value) for t in theirs.trials] == [(TrialState.COMPLETE, 0.75), (TrialState.FAIL, None)]
    assert theirs.trials[0].intermediate_values == {10: 0.5}


def test_what_optuna_appends_in_between_is_kept(journal: StoreJournal, tmp_path: Path) -> None:
    journal.append_logs(LOGS[:1])
    JournalFileBackend(file_of(tmp_path)).append_logs(LOGS[1:])
    journal.append_logs(LOGS[:1])
    assert list(journal.read_logs(0)) == [*LOGS, LOGS[0]]


def test_a_crash_while_writing_leaves_the_old_entries(
    journal: StoreJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append_logs(LOGS[:1])

    def crash(*_: object) -> None:
        raise OSError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(StorageError, match="the power went"):
            journal.append_logs(LOGS[1:])
    assert list(journal.read_logs(0)) == LOGS[:1]
    assert list(StoreJournal(Location(file_of(tmp_path))).read_logs(0)) == LOGS[:1]


def test_a_line_that_somebody_is_still_writing_is_left_for_later(journal: StoreJournal, tmp_path: Path) -> None:
    journal.append_logs(LOGS[:1])
    with Path(file_of(tmp_path)).open("ab") as file:
        file.write(b'{"op_co')
    assert list(journal.read_logs(0)) == LOGS[:1]


def test_a_damaged_line_is_an_error_that_names_the_file(journal: StoreJournal, tmp_path: Path) -> None:
    journal.append_logs(LOGS)
    file = Path(file_of(tmp_path))
    file.write_bytes(b"?" + file.read_bytes())
    with pytest.raises(StorageError, match=r"journal\.log is damaged"):
        list(journal.read_logs(0))

from pathlib import Path

from ranks import run_two_ranks

from seisray.training.agreement import highest


def test_one_worker_agrees_with_itself() -> None:
    assert [highest(code, "cpu") for code in (0, 3)] == [0, 3]


def test_two_workers_do_what_the_first_decides(tmp_path: Path) -> None:
    code = """
    from seisray.training.agreement import highest

    step, last = 0, False
    while not last:
        step += 1
        last = bool(highest(int(rank == 0 and step == 3), "cpu"))
    assert step == 3
    """
    run_two_ranks(code, Path(__file__).parent, tmp_path / "meet")


def test_all_workers_know_the_longest_wait(tmp_path: Path) -> None:
    code = """
    from seisray.training.agreement import highest

    assert highest(0.25 if rank else 0.125, "cpu") == 0.25
    """
    run_two_ranks(code, Path(__file__).parent, tmp_path / "meet")

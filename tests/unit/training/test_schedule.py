import pytest

from seisray.training.schedule import along_cosine, along_line, cooled, passed, reversal


def test_a_run_begins_at_nothing_passed_and_ends_at_all() -> None:
    assert [passed(step, 5) for step in (0, 2, 4, 9)] == [0, 0.5, 1, 1]
    assert passed(0, 1) == 0


def test_a_cosine_goes_from_one_to_its_last_value() -> None:
    assert [along_cosine(0.1, share) for share in (0, 0.5, 1)] == pytest.approx([1, 0.55, 0.1])
    assert along_cosine(0.1, 0.1) > 0.97
    assert along_cosine(1.0, 0.37) == 1


def test_a_line_is_in_proportion() -> None:
    assert [along_line(1.0, 0.5, share) for share in (0, 0.5, 1)] == [1, 0.75, 0.5]


def test_rates_cool_in_the_last_share_of_a_run_to_nothing() -> None:
    assert [cooled(0.5, share) for share in (0, 0.5, 0.75, 1)] == pytest.approx([1, 1, 0.5, 0])
    assert [cooled(0.0, share) for share in (0, 0.5, 1)] == [1, 1, 1]


def test_a_reversed_gradient_begins_at_nothing_and_comes_to_its_weight() -> None:
    assert reversal(0.3, 0.0) == 0
    assert reversal(0.3, 1.0) == pytest.approx(0.3, rel=1e-3)
    assert 0 < reversal(0.3, 0.05) < reversal(0.3, 0.2) < 0.3

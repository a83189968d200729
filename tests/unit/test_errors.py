import inspect

import pytest

from seisray import errors


@pytest.mark.parametrize(
    ("error", "standard"),
    [
        (errors.ConfigError, ValueError),
        (errors.SegyError, ValueError),
        (errors.GatherError, ValueError),
        (errors.NotFoundError, FileNotFoundError),
        (errors.ExistsError, FileExistsError),
        (errors.StorageError, OSError),
        (errors.SessionError, ConnectionError),
        (errors.TrainingError, RuntimeError),
        (errors.MissingExtraError, ImportError),
    ],
)
def test_an_error_is_also_the_standard_one(error: type[Exception], standard: type[Exception]) -> None:
    assert issubclass(error, standard)


def test_every_error_stands_in_the_tree_of_the_docstring() -> None:
    defined = {
        name for name, value in inspect.getmembers(errors, inspect.isclass) if value.__module__ == errors.__name__
    }
    assert defined == {name for name in defined if name in (errors.__doc__ or "").split()}


def test_every_error_is_a_seisray_error() -> None:
    for _, value in inspect.getmembers(errors, inspect.isclass):
        assert issubclass(value, errors.SeisrayError)


def test_one_bad_gather_is_not_a_bad_file() -> None:
    assert not issubclass(errors.GatherError, errors.FormatError)

"""Errors a user can meet; every message says what, where, what was expected and what to do.

SeisrayError
├── ConfigError        (ValueError)         a setting outside its range
├── FormatError        (ValueError)         a field, geometry or pick file that is not what it claims
│   ├── SegyError
│   ├── Seg2Error
│   └── PicksError
├── GatherError        (ValueError)         one gather that cannot be used; it goes to the rejects table
├── NotFoundError      (FileNotFoundError)  a file, survey, model or pick set that does not exist
├── ExistsError        (FileExistsError)    a name in the store that is taken
├── StorageError       (OSError)            a store that cannot be read or written
├── SessionError       (ConnectionError)    a Ray cluster that does not answer
├── TrainingError      (RuntimeError)       a run that could not be finished
└── MissingExtraError  (ImportError)        an optional part that is not installed
"""


class SeisrayError(Exception):
    """Base of every error that seisray raises on purpose."""


class ConfigError(SeisrayError, ValueError):
    """A setting is outside its allowed range."""


class FormatError(SeisrayError, ValueError):
    """A file is not what it claims to be."""


class SegyError(FormatError):
    """A SEG-Y file breaks the standard in a way that cannot be read safely."""


class Seg2Error(FormatError):
    """A SEG-2 file breaks the standard in a way that cannot be read safely."""


class PicksError(FormatError):
    """A pick file cannot be read, or does not fit the survey."""


class GatherError(SeisrayError, ValueError):
    """One gather cannot be used; the rest of the survey can."""


class NotFoundError(SeisrayError, FileNotFoundError):
    """A file, survey, model or pick set does not exist."""


class ExistsError(SeisrayError, FileExistsError):
    """A name in the store is taken."""


class StorageError(SeisrayError, OSError):
    """A store cannot be read or written."""


class SessionError(SeisrayError, ConnectionError):
    """A Ray cluster does not answer."""


class TrainingError(SeisrayError, RuntimeError):
    """A training run could not be finished."""


class MissingExtraError(SeisrayError, ImportError):
    """An optional part of seisray is not installed."""

"""A CSV with named, typed columns, as it comes beside field files."""

import io
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.csv

from seisray.errors import FormatError


def read_csv(data: bytes, where: str, columns: Mapping[str, pa.DataType], error: type[FormatError]) -> pa.Table:
    """Return the table of a CSV that has each of `columns` once; further columns are kept as they come.

    Raises `error` where a column is missing, occurs twice or holds a value of another type. No value may be missing.
    """
    options = pa.csv.ConvertOptions(column_types=dict(columns), strings_can_be_null=False, null_values=[])
    try:
        table = pa.csv.read_csv(io.BytesIO(data), convert_options=options)
        names = table.column_names
    except (pa.ArrowException, UnicodeDecodeError) as problem:
        raise error(f"{where} is not a CSV with the columns {','.join(columns)}: {problem}") from problem
    for name in columns:
        count = names.count(name)
        if count != 1:
            fault = f"occurs {count} times" if count else "is missing"
            raise error(f"{where}: column {name!r} {fault}; expected {','.join(columns)}")
    return table


def csv_header(data: bytes) -> list[str]:
    """Return the column names in the first line of a CSV."""
    return [name.strip(' "\r') for name in data.split(b"\n", 1)[0].decode("latin-1").split(",")]

"""What the header records of SPS files say of all others: the revision and the unit of length."""

import re
from collections.abc import Sequence

from seisray.errors import FormatError

FEET_TO_M = (0.3047, 0.3049)
"""Between these lie the international foot and all survey feet."""


def stated_revision(headers: Sequence[str], where: str) -> str | None:
    """Return "0" or "2.1" by record H00; None = not stated. Raises FormatError where it is another, or two.

    "SPS001" is revision 0, as the SEG adopted it in 1993; "SPS 2.1" the revision of January 2006.
    """
    found = set()
    for line in headers:
        version = re.search(r"SPS\s*(\d+(\.\d+)?)", line[3:]) if line.startswith("H00") else None
        if version:
            known = {0.0: "0", 1.0: "0", 2.1: "2.1"}.get(float(version[1]))
            if known is None:
                raise FormatError(f"{where}: H00 says SPS {version[1]}; expected SPS001 (revision 0) or SPS 2.1")
            found.add(known)
    if len(found) > 1:
        raise FormatError(f"{where}: H00 records say both revision 0 and 2.1; give files of one revision")
    return found.pop() if found else None


def metres_per_unit(headers: Sequence[str], where: str) -> float:
    """Return the length of the unit of coordinates in metres, by records H20 (its name) and H201 (its length).

    Where neither says anything, the standard's metre. Raises FormatError where they contradict each other or name a
    unit that is neither metre nor foot, and for feet without their length, which differ by 2 parts in a million.
    """
    units = _stated(headers, ("H20 ", "H200"))
    factors = _stated(headers, ("H201",))
    if len(units) > 1 or len(factors) > 1:
        raise FormatError(f"{where}: H20 and H201 say {sorted(units | factors)}; give files with one unit of length")
    unit, text = next(iter(units), ""), next(iter(factors), "")
    try:
        factor = float(text) if text else None
    except ValueError as error:
        raise FormatError(f"{where}: H201, the factor to metre, is {text!r}, expected a number") from error
    feet = re.search(r"feet|foot|\bft\b", unit)
    metres = re.search(r"met(re|er)|^m$", unit)
    if factor is not None and FEET_TO_M[0] < factor < FEET_TO_M[1] and (feet or not unit):
        return factor
    if factor in (None, 1.0) and (metres or not unit):
        return 1.0
    raise FormatError(
        f"{where}: the unit of length (H20) is {unit!r}, its factor to metre (H201) {text or 'not given'!r}; expected "
        "metres with 1, or feet with their factor, such as 0.3048"
    )


def _stated(headers: Sequence[str], codes: tuple[str, ...]) -> set[str]:
    """Return what records of these codes say from column 33 on, in small letters; blank and N/A say nothing."""
    said = {line[32:].split(";")[0].strip().lower() for line in headers if line[:4] in codes}
    return said - {"", "n/a"}

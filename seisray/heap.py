"""The memory that a worker's arrays come from."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
LARGEST_KEPT, MOST_KEPT = 32 << 20, 256 << 20


def keep_heap() -> bool:
    """Have this process keep up to 256 MiB that it freed for its next arrays; return whether it will.

    By default glibc hands arrays of a few MiB back to the kernel, and each new one costs a page fault every 4 KiB: a
    quarter of a picker's time, and a twentieth of a GAN's step. Other C libraries stay as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT) and mallopt(M_TRIM_THRESHOLD, MOST_KEPT))

"""Pictures to a video file, one after the other: MP4 that browsers play, or GIF that goes on for ever."""

import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seisray.errors import ConfigError, MissingExtraError, StorageError
from seisray.storage import locate

if TYPE_CHECKING:
    from av import VideoFrame

Pixels = NDArray[np.uint8]

SUFFIXES = (".mp4", ".gif")
GIF_FPS = 50
"""Browsers slow down GIFs that are faster."""
QUALITY = {"crf": "26", "preset": "superfast"}
BT709 = np.array([[0.2126, 0.7152, 0.0722], [-0.1146, -0.3854, 0.5], [0.5, -0.4542, -0.0458]])
"""From red, green, blue in 0..1 to luma in 0..1 and two chromas in -0.5..0.5 (ITU-R BT.709), which browsers assume."""


def check_video(out: str, fps: int) -> None:
    """Raise, before any work is done, what `write_video` would raise on this file name, rate or installation."""
    suffix = Path(out).suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"out is {out!r}, expected a name that ends in {' or '.join(SUFFIXES)}")
    if suffix == ".gif" and fps > GIF_FPS:
        raise ConfigError(f"fps is {fps}, expected at most {GIF_FPS} in a GIF; write an MP4")
    if not locate(out).is_local:
        raise ConfigError(f"out is {out!r}, expected a local file: a video is written bit by bit")
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"videos need PyAV, which cannot be imported ({error}); pip install 'seisray[video]'"
        ) from error


def write_video(out: str, pictures: Iterable[Pixels], palette: Pixels, fps: int) -> Path:
    """Write pictures as .mp4 (H.264, yuv420p) or .gif; return the path.

    pictures: (height, width) entries of the palette (256, 3), both even; held one at a time. The file appears when it
    is complete. Raises ConfigError on another suffix, StorageError where it cannot be written, MissingExtraError
    without PyAV.
    """
    check_video(out, fps)
    target = Path(locate(out).path)
    part = target.with_name(f".{uuid.uuid4().hex[:8]}.{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _encode(part, pictures, palette, fps)
        part.replace(target)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{target} cannot be written: {error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return target


def _encode(path: Path, pictures: Iterable[Pixels], palette: Pixels, fps: int) -> None:
    import av

    gif = path.suffix.lower() == ".gif"
    # GIF takes the pictures as they are: no dithering, and no second pass that would need them all at once.
    options = {"loop": "0"} if gif else {"movflags": "+faststart"}
    to_frame = _paletted(palette) if gif else _planar(palette)
    with av.open(str(path), "w", options=options) as file:
        stream = None
        for index, picture in enumerate(pictures):
            if stream is None:
                stream = file.add_stream("gif" if gif else "libx264", rate=fps, options={} if gif else QUALITY)
                stream.height, stream.width = picture.shape
                stream.pix_fmt = "pal8" if gif else "yuv420p"
                if not gif:
                    context = stream.codec_context
                    context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
                    context.color_range = 1  # luma in 16..235
            frame = to_frame(picture)
            frame.pts, frame.time_base = index, Fraction(1, fps)
            file.mux(stream.encode(frame))
        if stream is not None:
            file.mux(stream.encode())


def _paletted(palette: Pixels) -> Callable[[Pixels], "VideoFrame"]:
    from av import VideoFrame

    opaque = np.concatenate([np.full((256, 1), 255, np.uint8), palette], axis=1)  # alpha, red, green, blue

    def frame(picture: Pixels) -> "VideoFrame":
        content: Any = (picture, opaque)  # PyAV documents this pair, its stubs do not
        return VideoFrame.from_ndarray(content, format="pal8")

    return frame


def _planar(palette: Pixels) -> Callable[[Pixels], "VideoFrame"]:
    """Return a function that looks up luma a pixel, and chroma every other pixel in both directions."""
    from av import VideoFrame

    scaled = BT709 @ (palette.T / 255) * [[219], [224], [224]] + [[16], [128], [128]]
    luma, blue, red = (plane.tobytes() for plane in np.rint(scaled).astype(np.uint8))

    def frame(picture: Pixels) -> "VideoFrame":
        few = picture[::2, ::2].tobytes()
        planes = picture.tobytes().translate(luma) + few.translate(blue) + few.translate(red)
        return VideoFrame.from_ndarray(np.frombuffer(planes, np.uint8).reshape(-1, picture.shape[1]), format="yuv420p")

    return frame

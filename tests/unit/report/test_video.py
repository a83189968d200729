"""Pictures into MP4 and GIF, and back again with the same library."""

import builtins
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from seisray.errors import ConfigError, MissingExtraError, StorageError
from seisray.report.video import check_video, write_video

GREYS = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


def moving_bar(n: int, height: int = 48, width: int = 64) -> Iterator[np.ndarray]:
    for index in range(n):
        picture = np.full((height, width), 255, np.uint8)
        picture[:, 2 * index : 2 * index + 4] = 0
        yield picture


def read(path: Path) -> tuple[list[np.ndarray], float]:
    """Return frames (height, width, 3) and the duration in seconds."""
    with av.open(str(path)) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        assert file.duration is not None
        return frames, file.duration / av.time_base


@pytest.mark.parametrize(("suffix", "fps"), [(".mp4", 12), (".mp4", 30), (".gif", 12), (".gif", 24), (".GIF", 50)])
def test_a_video_has_the_frames_the_size_and_the_duration_asked_for(tmp_path: Path, suffix: str, fps: int) -> None:
    path = write_video(str(tmp_path / f"new folder/walk{suffix}"), moving_bar(24), GREYS, fps)
    frames, seconds = read(path)
    assert len(frames) == 24
    assert seconds == pytest.approx(24 / fps, abs=0.015)
    for frame, expected in zip(frames, moving_bar(24), strict=True):
        assert frame.shape == (48, 64, 3)
        assert np.abs(frame[..., 0].astype(int) - expected).mean() < 8
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_mp4_is_h264_that_browsers_play(tmp_path: Path) -> None:
    path = write_video(str(tmp_path / "walk.mp4"), moving_bar(5), GREYS, 12)
    data = path.read_bytes()
    assert data[4:8] == b"ftyp"
    assert data.index(b"moov") < data.index(b"mdat")  # plays while it loads
    with av.open(str(path)) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_a_gif_goes_on_for_ever_and_has_exactly_the_colours_given(tmp_path: Path) -> None:
    palette = np.random.default_rng(0).integers(0, 256, (256, 3), dtype=np.uint8)
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16)
    path = write_video(str(tmp_path / "walk.gif"), iter([picture, picture.T]), palette, 10)
    assert b"NETSCAPE2.0\x03\x01\x00\x00" in path.read_bytes()
    frames, _ = read(path)
    np.testing.assert_array_equal(frames[0], palette[picture])
    np.testing.assert_array_equal(frames[1], palette[picture.T])


def test_mp4_keeps_colours(tmp_path: Path) -> None:
    palette = GREYS.copy()
    palette[1:5] = [[200, 30, 30], [30, 30, 200], [0, 0, 0], [255, 255, 255]]
    picture = np.repeat(np.arange(1, 5, dtype=np.uint8), 16)[None].repeat(32, axis=0)
    path = write_video(str(tmp_path / "walk.mp4"), iter([picture] * 3), palette, 10)
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0))
        found = frame.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray()
    for index in range(4):
        np.testing.assert_allclose(found[16, 16 * index + 8], palette[index + 1], atol=12)


def test_pictures_are_asked_for_one_after_the_other(tmp_path: Path) -> None:
    alive = most = 0

    class Picture(np.ndarray):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def pictures() -> Iterator[np.ndarray]:
        nonlocal alive, most
        for picture in moving_bar(30):
            alive += 1
            most = max(most, alive)
            yield picture.view(Picture)

    write_video(str(tmp_path / "walk.mp4"), pictures(), GREYS, 10)
    assert most <= 3


@pytest.mark.parametrize("out", ["walk.avi", "walk", "mp4", "walk.mp4/"])
def test_another_suffix_is_refused_before_any_work(out: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.mp4 or \.gif"):
        check_video(str(tmp_path / out) + ("x" if out.endswith("/") else ""), 24)


def test_a_gif_too_fast_for_browsers_and_a_bucket_are_refused() -> None:
    with pytest.raises(ConfigError, match="at most 50 in a GIF"):
        check_video("walk.gif", 60)
    with pytest.raises(ConfigError, match="expected a local file"):
        check_video("s3://bucket/walk.mp4", 24)


def test_without_pyav_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def without_av(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "av":
            raise ModuleNotFoundError("No module named 'av'")
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_av)
    with pytest.raises(MissingExtraError, match=r"pip install 'seisray\[video\]'"):
        check_video("walk.mp4", 24)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"walk\.mp4 cannot be written"):
        write_video(str(tmp_path / "file" / "walk.mp4"), moving_bar(3), GREYS, 10)


def test_a_rendering_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def pictures() -> Iterator[np.ndarray]:
        yield from moving_bar(3)
        raise StorageError("weights went away")

    (tmp_path / "walk.mp4").write_bytes(b"an older one")
    with pytest.raises(StorageError, match="weights went away"):
        write_video(str(tmp_path / "walk.mp4"), pictures(), GREYS, 10)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"an older one"]

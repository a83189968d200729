"""The command line: parsing only; each command calls one public function and prints what it returns.

cyclopts builds flags, help and TOML handling from the typed dataclasses in `seisray.config`; of the libraries that do
so it also groups commands by the steps of the job, and names the file that a bad setting came from.
"""

import os
import sys
import tomllib
from collections.abc import Sequence
from typing import Annotated, Any

import cyclopts
from cyclopts import Parameter

from seisray.cli import data, deliver, learn, learned, look, pick, refine  # noqa: F401  they register their commands
from seisray.cli.app import Common, app
from seisray.errors import ConfigError, SeisrayError


@app.meta.default
def launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    store: str | None = None,
    config: str | None = None,
    set_: Annotated[list[str] | None, Parameter(name="--set")] = None,
    json: bool = False,
    ray_address: str | None = None,
    verbose: bool = False,
) -> None:
    """Run one command.

    Parameters
    ----------
    store
        Where all that lasts is kept: a folder or s3://bucket/prefix. [default: ./seisray-store]
    config
        TOML file with any of the command's options; what is given on the command line wins.
    set_
        section.field=value, the same as --section.field value.
    json
        Print results as JSON.
    ray_address
        Ray cluster to join; by default RAY_ADDRESS, or this machine alone.
    verbose
        Show Ray's own messages.
    """
    settings = read_toml(config) if config else {}
    for name in ("store", "ray-address"):
        if not isinstance(settings.get(name, ""), str):
            raise ConfigError(f"{config}: {name} is {settings[name]!r}, expected text")
    common = Common(
        store=store or settings.get("store", "./seisray-store"),
        json=json or settings.get("json", False),
    )
    ray_address = ray_address or settings.get("ray-address")
    if ray_address:
        os.environ["RAY_ADDRESS"] = ray_address
    if verbose:
        os.environ["SEISRAY_VERBOSE"] = "1"
    settings = {name: value for name, value in settings.items() if name not in ("store", "json", "ray-address")}
    app.config = [cyclopts.config.Dict(settings, use_commands_as_keys=False, source=config)] if settings else []
    more = [part for one in set_ or [] for part in set_tokens(one)]
    command, bound, extra = app.parse_args([*tokens, *more], exit_on_error=False, print_error=False)
    command(*bound.args, **bound.kwargs, **({"common": common} if "common" in extra else {}))


def read_toml(path: str) -> dict[str, Any]:
    """Return the settings in a TOML file, local or s3://; raise ConfigError where it is none."""
    from seisray.storage import locate

    try:
        return tomllib.loads(locate(path).read_bytes().decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def set_tokens(setting: str) -> list[str]:
    """Return section.field=value as command-line tokens; raise ConfigError where it is something else."""
    name, equals, value = setting.partition("=")
    if not equals or not name:
        raise ConfigError(f"--set {setting!r}: expected section.field=value")
    return [f"--{name.replace('_', '-')}={value}"]


def main(argv: Sequence[str]) -> int:
    """Run the command line; return the exit status: 0, or 2 with one clear line on standard error."""
    try:
        app.meta(list(argv), exit_on_error=False, print_error=False, result_action="return_value")
    except Exception as error:
        line = one_line(error)
        if line is None:
            raise
        print(f"seisray: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("seisray: interrupted; the same command goes on, ingest and pick with --resume", file=sys.stderr)
        return 130
    return 0


def one_line(error: BaseException) -> str | None:
    """Return what a user should read of an error, or None where the error is a bug of ours."""
    cause = getattr(error, "cause", None)  # Ray wraps what a task raised
    for one in (error, cause, error.__cause__):
        if isinstance(one, SeisrayError | cyclopts.CycloptsError):
            return " ".join(str(one).split())
    return None


def run() -> None:
    """Start from the shell."""
    sys.exit(main(sys.argv[1:]))

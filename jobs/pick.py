"""Pick a whole survey; after an end, the same command goes on.

    ray job submit --address http://127.0.0.1:8265 --working-dir jobs -- python pick.py [OPTIONS]

Settings are in pick.toml; options after the entry win over them.
"""

import sys
from pathlib import Path

from seisray.cli import main

if __name__ == "__main__":
    sys.exit(main(["pick", "--config", str(Path(__file__).with_suffix(".toml")), *sys.argv[1:]]))

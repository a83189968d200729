"""Search the settings of the pre-training.

    ray job submit --address http://127.0.0.1:8265 --working-dir jobs -- python tune.py [OPTIONS]

Settings are in tune.toml; options after the entry win over them.
"""

import sys
from pathlib import Path

from seisray.cli import main

if __name__ == "__main__":
    sys.exit(main(["tune", "gan", "--config", str(Path(__file__).with_suffix(".toml")), *sys.argv[1:]]))

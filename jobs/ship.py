"""Make the picker that comes with seisray again, of a synthetic survey and then of labels of a field one beside it.

    ray job submit --address http://127.0.0.1:8265 --working-dir jobs -- python ship.py s3://my-bucket/seisray

The store named holds the survey soda_lakes. What comes out is the model `of-soda_lakes` there: its weights.safetensors
and model.json, under the name `shipped`, go to seisray/pretrained/shipped/v1. tests/benchmarks/unseen_surveys.py makes
the same one, and the figures of its card.
"""

import sys

from seisray.cli import main


def steps(store: str) -> list[list[str]]:
    """Return the commands in order."""
    field = f"{store}/field/varied"
    shape = ["--shots=768", "--traces=48", "--samples=1600", "--sample-interval-us=250", "--shots-per-spread=6"]
    taught = ["--augment.late=0.2", "--augment.moveout=0", "--augment.statics=0", "--calibrate"]
    of_nobody = ["finetune", "varied", "--from=scratch", "--model=of-nobody"]
    more = ["--train.steps=300", "--transfer.lr=1e-3", *taught]
    commands = [
        ["synthesize", "varied", f"--out={field}", "--varied", "--depth-m=60", *shape],
        ["ingest", "varied", field, f"--picks={field}/varied-picks.csv"],
        [*of_nobody, "--train.steps=1500", "--augment.trace-gain=1", *taught],
        ["finetune", "soda_lakes:1001-1040", "varied", "--from=of-nobody", "--model=of-soda_lakes", *more],
    ]
    return [[*command, f"--store={store}"] for command in commands]


if __name__ == "__main__":
    sys.exit(next((code for step in steps(sys.argv[1]) if (code := main(step))), 0))

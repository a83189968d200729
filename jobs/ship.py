"""Make the picker that comes with seisray again, of three field surveys, labels of two, and a synthetic one.

    ray job submit --address http://127.0.0.1:8265 --working-dir jobs -- python ship.py s3://my-bucket/seisray

The store named holds the surveys soda_lakes, geostack and danube_island. What comes out is the model `of-both-varied`
there: its weights.safetensors and model.json, under the name `shipped`, go to seisray/pretrained/shipped/v1.
tests/benchmarks/unseen_surveys.py makes the same one, and the figures of its card.
"""

import sys

from seisray.cli import main


def steps(store: str) -> list[list[str]]:
    """Return the commands in order."""
    field = f"{store}/field/varied"
    shape = ["--shots=768", "--traces=48", "--samples=800", "--sample-interval-us=500", "--shots-per-spread=6"]
    surveys = ["soda_lakes", "geostack", "danube_island"]
    labelled = ["soda_lakes:1001-1040", "geostack:13,20,21,108,109", "varied"]
    commands = [
        ["synthesize", "varied", f"--out={field}", "--varied", "--depth-m=60", *shape],
        ["ingest", "varied", field, f"--picks={field}/varied-picks.csv"],
        ["pretrain", "masked", *surveys, "--model=of-both-base", "--train.steps=2000"],
        ["finetune", *labelled, "--from=of-both-base", "--model=of-both-varied", "--augment.stretch=2.0"],
    ]
    return [[*command, f"--store={store}"] for command in commands]


if __name__ == "__main__":
    sys.exit(next((code for step in steps(sys.argv[1]) if (code := main(step))), 0))

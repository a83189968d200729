"""Running a test's code as two workers under torch.distributed, without Ray."""

import subprocess
import sys
import textwrap
from pathlib import Path

HEAD = """
import os, sys, torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
sys.path[:0] = {folders!r}
rank = int(sys.argv[1])
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method="file://{meet}", rank=rank, world_size=2)


def agree(name, parts):
    mine = torch.cat([part.flatten().float() for part in parts])
    both = [torch.empty_like(mine) for _ in range(2)]
    dist.all_gather(both, mine)
    assert torch.equal(*both), (name, (both[0] - both[1]).abs().max())


"""
FOOT = """
dist.barrier()
os._exit(0)  # an interpreter that unwinds while gloo's threads end aborts, one time in ten
"""


def run_two_ranks(code: str, folder: Path, meet: Path) -> None:
    """Run code twice, with `rank`, `DistributedDataParallel` and agree(name, tensors); fail where either run fails.

    folder: of modules that it may import. meet: a file that does not exist, where the two find each other.
    """
    whole = HEAD.format(folders=[str(folder), str(Path(__file__).parent)], meet=meet) + textwrap.dedent(code) + FOOT
    workers = [
        subprocess.Popen([sys.executable, "-c", whole, str(rank)], stderr=subprocess.PIPE, text=True) for rank in (0, 1)
    ]
    try:
        errors = [worker.communicate(timeout=200)[1] for worker in workers]
    finally:
        for worker in workers:  # one that failed leaves the other waiting for it
            worker.kill()
    assert [worker.returncode for worker in workers] == [0, 0], "\n".join(errors)

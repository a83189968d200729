"""Pick a file as others do, and print as JSON how many traces a second each of them takes: name, version, figure.

    python pick_peers.py FILE N_TRACES FOLDER

Run by pick_speed.py in a virtual environment with first-breaks-picking 0.7.4, torchvision, onnx and SeisBench.
first-breaks-picking: end to end, from its reader to its picks. Its weights lie on a private server; here its network,
the UNet3+ on ResNet-18 that its release 0.2.0 holds, has random ones and is exported to ONNX as its authors do, panels
brought to 1024 x 128. PhaseNet: the network of SeisBench alone, 100 records at a time: of three
components and 3001 samples, as it was made for, and of one component and as many samples as a trace here.
"""

import importlib.util
import json
import subprocess
import sys
import time
import warnings
import zipfile
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

N_SAMPLES, NETWORK_SHAPE, SECONDS = 1000, (1024, 128), 10


class Exported(nn.Module):
    """The network of first-breaks-picking with what its ONNX file holds besides: gathers in, picks out."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, gather: Tensor) -> tuple[Tensor, Tensor]:
        """Return picks and confidence, (1, traces) each, of (1, 1, samples, traces)."""
        classes = self.network(interpolate(gather, NETWORK_SHAPE, mode="bicubic"))
        likely = torch.softmax(interpolate(classes, gather.shape[2:], mode="bicubic"), 1)[:, 0]
        confidence, picks = likely.max(1)
        return picks, confidence


def random_network(folder: Path, n_traces: int) -> Path:
    """Return an ONNX file with the network of first-breaks-picking."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
    subprocess.run([*pip, "first-breaks-picking==0.2.0"], check=True)
    with zipfile.ZipFile(next(folder.glob("first_breaks_picking-0.2.0*.whl"))) as wheel:
        source = Path(wheel.extract("first_breaks/_pytorch/models/unet3plus.py", folder))
    # pip has torchvision built for CUDA alone, which else fails to be imported beside a PyTorch without
    for name in ("nms", "qnms"):
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    spec = importlib.util.spec_from_file_location("unet3plus", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    network = Exported(module.Unet3Plus("resnet18", 1, 3, 64, pretrained=False)).eval()
    path = folder / "network.onnx"
    torch.onnx.export(
        network, (torch.zeros(1, 1, N_SAMPLES, n_traces),), path, input_names=["input"], opset_version=17, dynamo=False
    )
    return path


def first_breaks_picking(file: str, n_traces: int, network: Path) -> float:
    """Return traces a second, from the file to picks."""
    from first_breaks.picking.picker_onnx import PickerONNX
    from first_breaks.picking.task import Task
    from first_breaks.sgy.reader import SGY

    picker = PickerONNX(network, show_progressbar=False, device="cpu")
    began_s = time.perf_counter()
    sgy = SGY(file)
    task = picker.process_task(Task(source=sgy, traces_per_gather=n_traces))
    if len(task.picks.values) != sgy.num_traces:
        raise RuntimeError(f"{len(task.picks.values)} picks of {sgy.num_traces} traces")
    return sgy.num_traces / (time.perf_counter() - began_s)


@torch.inference_mode()
def phasenet(components: int, n_samples: int) -> float:
    """Return records a second of the network alone."""
    import seisbench.models

    network = seisbench.models.PhaseNet(in_channels=components).eval()
    panel, n = torch.randn(100, components, n_samples), 0
    network(panel)
    began_s = time.perf_counter()
    while time.perf_counter() - began_s < SECONDS:
        network(panel)
        n += len(panel)
    return n / (time.perf_counter() - began_s)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    file, n_traces, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    found = {
        f"first-breaks-picking {version('first-breaks-picking')}, end to end": first_breaks_picking(
            file, n_traces, random_network(folder, n_traces)
        ),
        f"PhaseNet (SeisBench {version('seisbench')}), its network alone, 3 x 3001 samples": phasenet(3, 3001),
        f"the same with 1 x {N_SAMPLES} samples": phasenet(1, N_SAMPLES),
    }
    print(json.dumps(found))

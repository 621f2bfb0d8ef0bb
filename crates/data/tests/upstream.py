"""A module of stable-worldmodel's formats, without the gigabytes of packages that the whole of it takes: only that module is loaded, and of
PyTorch, in which readers wrap their arrays, there is a stand-in.

    pip install numpy pillow loguru tqdm && pip install --no-deps stable-worldmodel==0.1.1
"""
import importlib, importlib.util, pathlib, sys, types

import numpy as np


class Tensor(np.ndarray):
    def permute(self, *axes):
        return self.transpose(axes)


def load(format):
    torch = types.ModuleType("torch")
    torch.from_numpy = lambda array: array.view(Tensor)
    torch.tensor = lambda array: np.asarray(array).view(Tensor)
    torch.stack = np.stack
    torch.Tensor = Tensor
    torch.utils = types.SimpleNamespace(data=types.SimpleNamespace(Dataset=object))
    torch.multiprocessing = types.SimpleNamespace(set_sharing_strategy=lambda name: None)
    sys.modules["torch"] = torch
    # The packages, without what their `__init__.py` loads.
    place = pathlib.Path(importlib.util.find_spec("stable_worldmodel").origin).parent
    for name in ["stable_worldmodel", "stable_worldmodel.data", "stable_worldmodel.data.formats"]:
        package = types.ModuleType(name)
        package.__path__ = [str(place.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package
    sys.modules["stable_worldmodel.utils"] = types.SimpleNamespace(DEFAULT_CACHE_DIR="", HF_BASE_URL="")
    return importlib.import_module(f"stable_worldmodel.data.formats.{format}")

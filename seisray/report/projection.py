"""From many features to the two axes of a map."""

import warnings
from importlib.util import find_spec
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seisray.errors import MissingExtraError

Projection = Literal["pca", "umap"]
NEIGHBOURS = 15  # that UMAP keeps together


def check_projection(by: Projection) -> None:
    """Raise MissingExtraError, before any work is done, where a projection needs what is not installed."""
    if by == "umap" and find_spec("umap") is None:
        raise MissingExtraError("a map by UMAP needs umap-learn, which is not installed; pip install 'seisray[umap]'")


def project(features: NDArray[np.float64], by: Projection) -> tuple[NDArray[np.float64], float]:
    """Return (n, 2) positions of n >= 3 rows of features, and the share of variance they hold (NaN by UMAP)."""
    return principal(features) if by == "pca" else (neighbourly(features), np.nan)


def principal(features: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return (n, 2) positions along the first two principal components, and the share of variance they hold."""
    left, size, _ = np.linalg.svd(_scaled(features), full_matrices=False)
    total = float((size**2).sum())
    return left[:, :2] * size[:2], float((size[:2] ** 2).sum()) / total if total else 0.0


def neighbourly(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, 2) positions by UMAP (McInnes et al. 2018, 1802.03426), equal ones for equal features.

    Neighbours stay neighbours; the distance of two groups means little, and axes mean nothing.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # that TensorFlow is missing, which only a part of it needs
        from umap import UMAP
    beside = min(NEIGHBOURS, len(features) - 1)
    position = UMAP(n_neighbors=beside, init="pca", random_state=0, n_jobs=1).fit_transform(_scaled(features))
    return np.asarray(position, dtype=np.float64)


def _scaled(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return features (n, m) of mean 0 and variance 1, so that loud ones do not draw the map alone."""
    centred = features - features.mean(axis=0)
    spread = centred.std(axis=0)
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)

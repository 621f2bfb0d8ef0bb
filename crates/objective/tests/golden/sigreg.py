"""Writes sigreg.json: the SIGReg statistic as eb_jepa defines it, computed with NumPy in float64.

python3 sigreg.py > sigreg.json        (NumPy 2)
"""

import json
import sys

import numpy as np

rng = np.random.default_rng(7)
latents = rng.normal(size=(24, 6)) * np.array([1.0, 0.5, 2.0, 1.0, 0.1, 1.5]) + np.array([0.0, 0.3, 0.0, -1.0, 0.0, 0.2])
directions = rng.normal(size=(6, 5))
directions /= np.linalg.norm(directions, axis=0)
latents, directions = latents.astype(np.float32), directions.astype(np.float32)

t = np.linspace(-3.0, 3.0, 10)
gaussian = np.exp(-t**2 / 2)
projected = latents.astype(np.float64) @ directions.astype(np.float64)
empirical = np.exp(1j * projected[:, :, None] * t).mean(axis=0)
integrand = gaussian * np.abs(empirical - gaussian) ** 2
value = np.trapezoid(integrand, t, axis=1).mean()

json.dump({"latents": latents.tolist(), "directions": directions.tolist(), "value": float(value)}, sys.stdout)
sys.stdout.write("\n")

"""Writes lewm_sigreg.json: SIGReg as stable-worldmodel 0.1.1 defines it for LeWM, with the directions that it draws.

pip install torch stable-worldmodel==0.1.1 imageio && python3 lewm_sigreg.py > lewm_sigreg.json
"""

import json
import sys

import torch
from stable_worldmodel.wm.loss import SIGReg

generator = torch.Generator().manual_seed(7)
clips, time, dim, directions = 24, 3, 6, 5
scale, shift = torch.tensor([1.0, 0.5, 2.0, 1.0, 0.1, 1.5]), torch.tensor([0.0, 0.3, 0.0, -1.0, 0.0, 0.2])
latents = torch.randn(clips, time, dim, generator=generator) * scale + shift * torch.arange(time)[:, None]

term = SIGReg(knots=17, num_proj=directions)
torch.manual_seed(3)
drawn = torch.randn(dim, directions)
drawn /= drawn.norm(p=2, dim=0)
torch.manual_seed(3)
# It takes [time, clips, dim].
value = term(latents.transpose(0, 1))

json.dump({"latents": latents.tolist(), "directions": drawn.tolist(), "value": value.item()}, sys.stdout)
sys.stdout.write("\n")

"""Compares `prevision import`, `encode`, `rollout` and `export` with stable-worldmodel's LeWM, of full size with random weights, on real clips.

    pip install torch torchvision transformers==5.24.0 stable-worldmodel==0.1.1 hydra-core imageio safetensors av
    python parity.py path/to/prevision clip.mp4 [clip.mp4...]

From the video file on: stable-worldmodel gets the frames that PyAV decodes, through the transforms of its evaluation (`scripts/plan/eval_wm.py`),
prevision the file. `tensor` is the same with what comes out of the transforms given to both, which leaves decoders and resizing out. Prints the
largest differences; those of costs are over the largest cost.
"""

import argparse
import os
import pathlib
import subprocess
import tempfile

import av
import numpy
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from safetensors.torch import load_file
from stable_worldmodel.wm.utils import load_pretrained, save_pretrained
from torchvision.transforms import v2

MODULE = "stable_worldmodel.wm.lewm.module."
MLP = {"_target_": MODULE + "MLP", "input_dim": 192, "output_dim": 192, "hidden_dim": 2048, "norm_fn": {"_target_": "torch.nn.BatchNorm1d", "_partial_": True}}
VIT = {"hidden_size": 192, "num_hidden_layers": 12, "num_attention_heads": 3, "intermediate_size": 768, "patch_size": 14, "image_size": 224}
CONFIG = {
    "_target_": "stable_worldmodel.wm.lewm.LeWM",
    "encoder": {"_target_": "transformers.ViTModel", "config": {"_target_": "transformers.ViTConfig", **VIT}, "add_pooling_layer": False},
    "predictor": {"_target_": MODULE + "Predictor", "num_frames": 3, "depth": 6, "heads": 16, "mlp_dim": 2048, "dim_head": 64, "input_dim": 192, "hidden_dim": 192, "output_dim": 192, "dropout": 0.1},
    "action_encoder": {"_target_": MODULE + "Embedder", "input_dim": 10, "emb_dim": 192},
    "projector": MLP,
    "pred_proj": MLP,
}
STATISTICS = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
TRANSFORM = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(**STATISTICS), v2.Resize(size=224)])
PAST, GOAL = [0, 5, 10], 25


def randomise(model):
    """Trained weights are larger than those that training begins with, and AdaLN's are not zero."""
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 2)
            elif name.endswith("num_batches_tracked"):
                value.fill_(1)
            elif value.ndim > 1 and "token" not in name and "pos" not in name:
                value.normal_(0, 1 / value[0].numel() ** 0.5)
            elif value.ndim == 1 and name.endswith("weight"):
                value.normal_(1, 0.2)
            else:
                value.normal_(0, 0.2)


def frames(path):
    with av.open(str(path)) as container:
        pictures = (frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))
        return [picture for _, picture in zip(range(GOAL + 1), pictures)]


def apart(ours, theirs):
    return (ours.double() - theirs.double()).abs().max().item()


def compare(clip, what, seen, model, folder, run, seen_by_us):
    """`seen` are all frames as they go into the model; `seen_by_us` the arguments by which the program gets them."""
    emb = model.encode({"pixels": seen[None]})["emb"][0]
    candidates = torch.randn(1, 300, 7, 10)
    numpy.save(folder / "actions.npy", candidates[0].numpy())
    both = lambda numbers: seen[numbers][None, None].expand(1, 300, -1, -1, -1, -1)
    info = {"pixels": both(PAST), "goal": both([GOAL]), "action": torch.zeros(1, 300, 1, 10)}
    cost = model.get_cost(info, candidates)[0]
    run("rollout", folder / "lewm.safetensors", *seen_by_us, "--past", ",".join(map(str, PAST)), "--goal", GOAL, "--actions", folder / "actions.npy", "--out", folder / "rollout.safetensors")
    ours = load_file(folder / "rollout.safetensors")
    imagined = info["predicted_emb"][0][:, len(PAST):]
    print(
        f"{clip} {what:7} past {apart(ours['past'], emb[PAST]):.1e}, goal {apart(ours['goal'], emb[GOAL]):.1e}, imagined {apart(ours['imagined'], imagined):.1e} "
        f"(of up to {imagined.abs().max():.1f}), cost {apart(ours['cost'], cost) / cost.max().item():.1e}, nearest {ours['cost'].argmin().item()} and {cost.argmin().item()}",
        flush=True,
    )
    return emb


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prevision", type=pathlib.Path)
    parser.add_argument("clips", type=pathlib.Path, nargs="+")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    model = instantiate(CONFIG).eval()
    randomise(model)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run = lambda *words: subprocess.run([arguments.prevision.resolve(), *map(str, words)], check=True, capture_output=True)
        save_pretrained(model, "lewm", config=OmegaConf.create(CONFIG), cache_dir=folder)
        checkpoints = folder / "checkpoints"
        run("import", checkpoints / "lewm", "--out", folder / "lewm.safetensors")
        # And back.
        run("export", folder / "lewm.safetensors", "--out", checkpoints / "back")
        back = load_pretrained("back", cache_dir=folder).eval()
        for clip in arguments.clips:
            pictures = frames(clip)
            seen = torch.stack([TRANSFORM(picture) for picture in pictures])
            whole = seen[..., : seen.shape[-2] // 14 * 14, : seen.shape[-1] // 14 * 14].contiguous()
            numpy.save(folder / "frames.npy", whole.numpy())
            emb = compare(clip.name, "file", seen, model, folder, run, [clip])
            compare(clip.name, "tensor", whole, model, folder, run, ["--tensor", folder / "frames.npy"])
            run("encode", folder / "lewm.safetensors", clip, "--out", folder / "latents.safetensors")
            latents = load_file(folder / "latents.safetensors")["latents"][: len(emb), 0]
            again = back.encode({"pixels": seen[None]})["emb"][0]
            print(f"{clip.name} encode  {apart(latents, emb):.1e}; exported, in stable-worldmodel again {apart(again, emb):.1e}", flush=True)
        same = all(torch.equal(value, back.state_dict()[name]) for name, value in model.state_dict().items() if "num_batches" not in name)
        print(f"tensors of the export are {'the same' if same else 'others'}")


if __name__ == "__main__":
    os.environ.setdefault("TQDM_DISABLE", "1")
    main()

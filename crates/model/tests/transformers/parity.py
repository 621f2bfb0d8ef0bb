"""Compares `prevision import` and `encode` with transformers on real clips, models of full size with random weights.

    pip install torch torchvision transformers==5.24.0 safetensors av
    python parity.py path/to/prevision clip.mp4 [CASE...]

From the video file on: transformers' own preprocessor gets the frames that PyAV decodes, prevision the file. `tensor` is the same with the
preprocessed clip given to both, which leaves the decoders out. Prints the largest difference and the smallest cosine of a token.
"""

import argparse
import pathlib
import subprocess
import tempfile

import av
import numpy
import torch
from safetensors.torch import load_file
from transformers import (
    AutoImageProcessor,
    AutoVideoProcessor,
    BitImageProcessor,
    Dinov2Config,
    Dinov2Model,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersModel,
    IJepaConfig,
    IJepaModel,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
    VJEPA2Config,
    VJEPA2Model,
    VJEPA2VideoProcessor,
)

BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
SMALL = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6}
CASES = {
    "vjepa2-b": (VJEPA2Model, VJEPA2Config(**BASE, crop_size=256, frames_per_clip=16), VJEPA2VideoProcessor()),
    "vjepa2-l": (VJEPA2Model, VJEPA2Config(crop_size=256, frames_per_clip=16), VJEPA2VideoProcessor()),
    "vit-b": (ViTModel, ViTConfig(), ViTImageProcessor()),
    "ijepa-b": (IJepaModel, IJepaConfig(patch_size=14), ViTImageProcessor()),
    "dinov2-s": (Dinov2Model, Dinov2Config(**SMALL, image_size=518, patch_size=14), BitImageProcessor(size={"shortest_edge": 256}, crop_size={"height": 224, "width": 224}, do_center_crop=True, resample=3, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])),
    "dinov2-b-registers": (Dinov2WithRegistersModel, Dinov2WithRegistersConfig(image_size=518, patch_size=14), BitImageProcessor(size={"shortest_edge": 256}, crop_size={"height": 224, "width": 224}, do_center_crop=True, resample=3, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])),
}


def randomise(model):
    """Released weights are larger than those that training begins with."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1 and "token" not in name and "position" not in name:
                parameter.normal_(0, 1 / parameter[0].numel() ** 0.5)
            elif "norm" in name and name.endswith("weight"):
                parameter.normal_(1, 0.2)
            elif "lambda" not in name:
                parameter.normal_(0, 0.2)


def frames(path, count):
    with av.open(str(path)) as container:
        pictures = (frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))
        return [picture for _, picture in zip(range(count), pictures)]


def difference(ours, theirs):
    ours, theirs = ours.double().flatten(0, -2), theirs.double().flatten(0, -2)
    return (ours - theirs).abs().max().item(), torch.nn.functional.cosine_similarity(ours, theirs).min().item()


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prevision", type=pathlib.Path)
    parser.add_argument("clip", type=pathlib.Path)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    arguments = parser.parse_args()
    for case in arguments.cases:
        kind, config, processor = CASES[case]
        torch.manual_seed(0)
        model = kind(config).eval()
        randomise(model)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            run = lambda *words: subprocess.run([arguments.prevision.resolve(), *map(str, words)], check=True, capture_output=True)
            model.save_pretrained(folder / "hf")
            processor.save_pretrained(folder / "hf")
            run("import", folder / "hf", "--out", folder / "model.safetensors")
            video = kind is VJEPA2Model
            pictures = frames(arguments.clip, config.frames_per_clip if video else 4)
            if video:
                stacked = torch.from_numpy(numpy.stack(pictures)).permute(0, 3, 1, 2)
                seen = AutoVideoProcessor.from_pretrained(folder / "hf")(stacked, return_tensors="pt")["pixel_values_videos"]
                clips = seen.transpose(1, 2)
            else:
                seen = AutoImageProcessor.from_pretrained(folder / "hf")(pictures, return_tensors="pt")["pixel_values"]
                clips = seen.unsqueeze(2)
            theirs = (model(seen, skip_predictor=True) if video else model(seen)).last_hidden_state
            numpy.save(folder / "clips.npy", clips.contiguous().numpy())
            run("encode", folder / "model.safetensors", "--tensor", folder / "clips.npy", "--out", folder / "tensor.safetensors")
            run("encode", folder / "model.safetensors", arguments.clip, "--out", folder / "file.safetensors")
            print(f"{case:20} tensor   {'%.2e apart, cosine %.8f' % difference(load_file(folder / 'tensor.safetensors')['features'], theirs)}")
            first = load_file(folder / "file.safetensors")["features"][: len(theirs)]
            print(f"{case:20} file     {'%.2e apart, cosine %.8f' % difference(first, theirs)}", flush=True)
            if video:
                context, target = torch.arange(0, 1024)[None], torch.arange(1024, 2048)[None]
                predicted = model(seen, context_mask=[context], target_mask=[target]).predictor_output.last_hidden_state
                run("encode", folder / "model.safetensors", "--tensor", folder / "clips.npy", "--context-mask", "0-1023", "--target-mask", "1024-2047", "--as-transformers", "--out", folder / "masked.safetensors")
                print(f"{case:20} masked   {'%.2e apart, cosine %.8f' % difference(load_file(folder / 'masked.safetensors')['predicted'], predicted)}", flush=True)
            # And back.
            run("export", folder / "model.safetensors", "--out", folder / "back")
            again = kind.from_pretrained(folder / "back").eval()
            back = (again(seen, skip_predictor=True) if video else again(seen)).last_hidden_state
            print(f"{case:20} exported {'%.2e apart, cosine %.8f' % difference(back, theirs)}", flush=True)


if __name__ == "__main__":
    main()

"""Encoding one clip with V-JEPA 2 of transformers. training-speed/compare.py starts it with --folder encoding-speed; by hand:

    echo "run 3" | python peer.py encode-base --threads 2

The encoder alone (`skip_predictor`), fresh weights, 16 frames of 256 x 256, attention by PyTorch's `scaled_dot_product_attention`.
"""

import argparse
import pathlib
import sys

import torch
from transformers import VJEPA2Config, VJEPA2Model

sys.path.append(str(pathlib.Path(__file__).parents[1] / "training-speed"))
from measure import serve

SIZES = {"encode-base": (768, 12, 12), "encode-large": (1024, 24, 16)}  # width, blocks, heads


def prepare(case, bf16, compiled):
    width, blocks, heads = SIZES[case]
    config = VJEPA2Config(hidden_size=width, num_hidden_layers=blocks, num_attention_heads=heads, crop_size=256, frames_per_clip=16)
    model = VJEPA2Model._from_config(config, attn_implementation="sdpa").eval()
    video = torch.randn([1, 16, 3, 256, 256])
    if bf16:
        model, video = model.bfloat16(), video.bfloat16()
    encode = lambda video: model(video, skip_predictor=True).last_hidden_state
    encode = torch.compile(encode) if compiled else encode

    def run():
        with torch.inference_mode():
            encode(video)

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", choices=SIZES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    serve(lambda: prepare(options.case, options.bf16, options.compile), 1, torch.bfloat16 if options.bf16 else torch.float32)


if __name__ == "__main__":
    main()

"""Encoding one clip with V-JEPA 2 of transformers, and LeWM of stable-worldmodel. training-speed/compare.py starts it with --folder encoding-speed; by hand:

    echo "run 3" | python peer.py encode-base --threads 2

The encoder alone (`skip_predictor`), fresh weights, 16 frames of 256 x 256, attention by PyTorch's `scaled_dot_product_attention`.

`lewm-encode` and `lewm-rollout` are stable-worldmodel's LeWM, untrained, with the sizes of the released Push-T model: 16 frames of 224 x 224, and 300
sequences of 5 actions from one latent that is known.
"""

import argparse
import contextlib
import pathlib
import sys

import torch
from transformers import VJEPA2Config, VJEPA2Model

HERE = pathlib.Path(__file__).resolve()
sys.path += [str(HERE.parents[1] / "training-speed"), str(HERE.parents[1] / "planning-speed")]
from measure import serve

SIZES = {"encode-base": (768, 12, 12), "encode-large": (1024, 24, 16)}  # width, blocks, heads


def lewm(case, bf16, compiled):
    from lewm import ACTION, WIDTH, model

    model = model()
    if case == "lewm-encode":
        model = model.bfloat16() if bf16 else model
        pixels = torch.randn(1, 16, 3, 224, 224)
        encode = torch.compile(model.encode) if compiled else model.encode
        step, precision = lambda: encode({"pixels": pixels}), contextlib.nullcontext()
    else:
        # Its embedder insists on float32, so that weights cannot be bfloat16.
        precision = torch.autocast("cpu", torch.bfloat16) if bf16 else contextlib.nullcontext()
        if compiled:
            model.predict = torch.compile(model.predict, dynamic=False)
        known = torch.randn(1, 1, 1, WIDTH).expand(1, 300, 1, WIDTH)
        actions = torch.randn(1, 300, 5, ACTION)
        step = lambda: model.rollout({"pixels": torch.empty(1, 1, 1), "emb": known}, actions)

    def run():
        with torch.inference_mode(), precision:
            step()

    return run


def prepare(case, bf16, compiled):
    if case.startswith("lewm"):
        return lewm(case, bf16, compiled)
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
    parser.add_argument("case", choices=[*SIZES, "lewm-encode", "lewm-rollout"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    serve(lambda: prepare(options.case, options.bf16, options.compile), 1, torch.bfloat16 if options.bf16 else torch.float32)


if __name__ == "__main__":
    main()

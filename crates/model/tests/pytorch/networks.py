"""prevision's networks in PyTorch, with the same names: `load_state_dict` takes a `model.safetensors` as it is.

`model_of(description)` builds a network from a dictionary of three or four entries: `input` (sizes of a clip), `heads` (names), `model`
(the section `model` of an experiment, complete) and, for masked models, `mask` (lists of visible and of hidden tokens).
`outputs_of(model, description, inputs)` computes what is compared with prevision.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}


def unbiased(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


# Frame encoders: `[n, channels, height, width]` to `[n, dim]`.


class Patches(nn.Module):
    """A token for every patch, from one hidden layer."""

    def __init__(self, config, shape):
        super().__init__()
        self.patch, self.activation = config["patch"], ACTIVATIONS[config["activation"]]
        self.hidden = nn.Linear(shape["channels"] * self.patch**2, config["hidden"])
        self.output = nn.Linear(config["hidden"], config["channels"])
        self.grid = [-(-shape[side] // self.patch) for side in ("height", "width")]
        self.dim = self.grid[0] * self.grid[1] * config["channels"]

    def forward(self, frames):
        padded = pad_to(frames, self.patch)
        patches = F.unfold(padded, self.patch, stride=self.patch).transpose(1, 2)
        return self.output(self.activation(self.hidden(patches))).flatten(1)


class StridedConv(nn.Module):
    """Convolutions whose kernels equal their strides; after the first, their inputs are (row, column, channel)."""

    def __init__(self, config, shape):
        super().__init__()
        self.patch, self.merge = config["patch"], config["merge"]
        self.activation, self.dim, self.grid = ACTIVATIONS[config["activation"]], config["dim"], [1, 1]
        widths = config["widths"]
        self.stride = self.patch * self.merge ** (len(widths) - 1)
        cells = math.prod(-(-shape[side] // self.stride) for side in ("height", "width"))
        inputs = [shape["channels"] * self.patch**2] + [width * self.merge**2 for width in widths]
        self.layers = nn.ModuleList(nn.Linear(*sizes) for sizes in zip(inputs, widths))
        self.hidden = nn.Linear(cells * widths[-1], config["hidden"])
        self.projection = nn.Linear(config["hidden"], self.dim)
        self.norm = nn.LayerNorm(self.dim)

    def forward(self, frames):
        first, *others = self.layers
        x = pad_to(frames, self.stride)
        kernel = first.weight.unflatten(1, (-1, self.patch, self.patch))
        x = self.activation(F.conv2d(x, kernel, first.bias, stride=self.patch))
        for layer in others:
            kernel = layer.weight.unflatten(1, (self.merge, self.merge, -1)).permute(0, 3, 1, 2)
            x = self.activation(F.conv2d(x, kernel, layer.bias, stride=self.merge))
        features = x.permute(0, 2, 3, 1).flatten(1)
        return self.norm(self.projection(self.activation(self.hidden(features))))


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return F.relu(x + self.second(F.relu(self.first(x))))


class Stack(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.convolution = nn.Conv2d(channels, width, 3, padding=1)
        self.blocks = nn.Sequential(Residual(width), Residual(width))

    def forward(self, x):
        return self.blocks(F.max_pool2d(self.convolution(x), 3, stride=2, padding=1))


class Impala(nn.Module):
    def __init__(self, config, shape):
        super().__init__()
        widths, self.dim, self.grid = config["widths"], config["dim"], [1, 1]
        self.stacks = nn.Sequential(*(Stack(*sizes) for sizes in zip([shape["channels"], *widths], widths)))
        size = [shape["height"], shape["width"]]
        for _ in widths:
            size = [(length - 1) // 2 + 1 for length in size]
        self.projection = nn.Linear(widths[-1] * size[0] * size[1], self.dim)
        self.norm = nn.LayerNorm(self.dim)

    def forward(self, frames):
        return self.norm(self.projection(F.relu(self.stacks(frames)).flatten(1)))


class FrameVit(nn.Module):
    def __init__(self, config, shape):
        super().__init__()
        self.dim, self.grid = config["dim"], [1, 1]
        self.tokens = VideoVit({**config, "dim": config["width"], "tubelet": 1}, shape["channels"])
        self.projection = nn.Linear(config["width"], self.dim)
        self.norm = nn.LayerNorm(self.dim)

    def forward(self, frames):
        return self.norm(self.projection(self.tokens(frames.unsqueeze(2)).mean(1)))


ENCODERS = {"patches": Patches, "strided-conv": StridedConv, "impala": Impala, "vit": FrameVit}


def pad_to(frames, side):
    """Zeros at the right and bottom until `side` divides height and width."""
    height, width = frames.shape[-2:]
    return F.pad(frames, (0, -width % side, 0, -height % side))


# The vision transformer.


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x, rotation=None, causal=False):
        queries, keys, values = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if rotation is not None:
            queries, keys = rotate(queries, rotation), rotate(keys, rotation)
        mixed = F.scaled_dot_product_attention(queries, keys, values, is_causal=causal)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, dim, heads, ratio):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, int(dim * ratio + 1e-6))

    def forward(self, x, rotation):
        x = x + self.attn(self.norm1(x), rotation)
        return x + self.mlp(self.norm2(x))


class TubeletEmbed(nn.Module):
    """A linear layer on flattened tubelets: `weight.unflatten(1, (channels, frames, rows, columns))` is the kernel of a `Conv3d`."""

    def __init__(self, config, channels):
        super().__init__()
        self.size = (config["tubelet"], config["patch"], config["patch"])
        self.projection = nn.Linear(channels * math.prod(self.size), config["dim"])

    def forward(self, video):
        kernel = self.projection.weight.unflatten(1, (-1, *self.size))
        return F.conv3d(video, kernel, self.projection.bias, stride=self.size)


class VideoVit(nn.Module):
    def __init__(self, config, channels):
        super().__init__()
        dim, heads = config["dim"], config["heads"]
        self.positions, self.head_dim = config["positions"], dim // heads
        self.tubelet_embed = TubeletEmbed(config, channels)
        self.blocks = nn.ModuleList(Block(dim, heads, config["mlp_ratio"]) for _ in range(config["depth"]))
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, video, keep=None):
        """`keep`: `[batch, n]` ids of the tokens to encode."""
        x = self.tubelet_embed(video)
        grid = x.shape[2:]
        x = x.flatten(2).transpose(1, 2)
        ids = torch.arange(x.shape[1])[None] if keep is None else keep
        if self.positions == "sin-cos":
            x = x + sin_cos_table(grid, x.shape[2]).to(x)
        if keep is not None:
            x = gather(x, keep)
        rotation = rotation_of(self.positions, ids, grid, self.head_dim, x)
        for block in self.blocks:
            x = block(x, rotation)
        return self.norm(x)


def gather(tokens, ids):
    return tokens.gather(1, ids[..., None].expand(-1, -1, tokens.shape[2]))


def sin_cos_axis(positions, size):
    angles = positions[:, None].double() * 10_000.0 ** (-torch.arange(size // 2).double() / (size // 2))
    return torch.cat([angles.sin(), angles.cos()], 1)


def sin_cos_table(grid, dim):
    """`[tokens, dim]`: half of the channels for time (none for one frame), a quarter each for row and column."""
    even = lambda size: size + size % 2
    time = 0 if grid[0] == 1 else even(-(-dim // 2))
    row = even(-(-(dim - time) // 2))
    places = torch.cartesian_prod(*(torch.arange(length) for length in grid)).reshape(-1, 3)
    sizes = (time, row, dim - time - row)
    return torch.cat([sin_cos_axis(places[:, axis], size) for axis, size in enumerate(sizes)], 1)


def rotation_of(kind, ids, grid, head_dim, like):
    """Cosines and sines `[batch, 1, tokens, head_dim]` of the angles of rotary positions."""
    if kind == "sin-cos":
        return None
    size = 2 * (head_dim // 3 // 2)
    half = size // 2
    channel = torch.arange(size)
    index = channel % half if kind == "rope-tiled" else channel // 2
    frequencies = 10_000.0 ** (-index.double() / half)
    frame = grid[1] * grid[2]
    places = [ids // frame, ids % frame // grid[2], ids % grid[2]]
    angles = torch.cat([place[..., None] * frequencies for place in places], -1)
    angles = F.pad(angles, (0, head_dim - 3 * size))[:, None]
    return angles.cos().to(like), angles.sin().to(like)


def rotate(x, rotation):
    cosine, sine = rotation
    partner = torch.stack([-x[..., 1::2], x[..., 0::2]], -1).flatten(-2)
    return x * cosine + partner * sine


# Predictors of the next latent: `rollout(start, actions, place, norm)`, `[batch, h, dim]` to `[batch, k, dim]`.


class Gru(nn.GRU):
    def __init__(self, config, dim, action, static, grid):
        super().__init__(action + static, dim, batch_first=True)

    def rollout(self, start, actions, place, norm):
        state, latents = start[:, -1], []
        for action in beside(actions, place)[:, start.shape[1] - 1 :].unbind(1):
            _, state = self(action[:, None], state[None].contiguous())
            state = norm(state[0])
            latents.append(state)
        return torch.stack(latents, 1)


class ResidualMlp(nn.Module):
    def __init__(self, config, dim, action, static, grid):
        super().__init__()
        hidden = config["hidden"]
        self.latent, self.action = nn.Linear(dim, hidden), unbiased(action + static, hidden)
        self.middle, self.output = nn.Linear(hidden, hidden), nn.Linear(hidden, dim)

    def rollout(self, start, actions, place, norm):
        state, latents = start[:, -1], []
        for action in beside(actions, place)[:, start.shape[1] - 1 :].unbind(1):
            x = F.relu(self.latent(state) + self.action(action))
            state = state + self.output(F.relu(self.middle(x)))
            latents.append(state)
        return torch.stack(latents, 1)


class ResidualConv(nn.Module):
    """Linear layers on 3x3 neighbourhoods, whose inputs are (row, column, channel)."""

    def __init__(self, config, dim, action, static, grid):
        super().__init__()
        hidden, tokens = config["hidden"], grid[0] * grid[1]
        self.grid = grid
        self.latent = nn.Linear(9 * dim // tokens, hidden)
        if static:
            self.place = unbiased(9 * static // tokens, hidden)
        self.action = unbiased(action, hidden)
        self.middle, self.output = nn.Linear(hidden, hidden), nn.Linear(hidden, 2 * dim // tokens)

    def rollout(self, start, actions, place, norm):
        state, latents = start[:, -1].unflatten(1, (*self.grid, -1)), []
        still = 0 if place is None else convolve(self.place, place.unflatten(1, (*self.grid, -1)))
        for action in actions[:, start.shape[1] - 1 :].unbind(1):
            x = F.relu(convolve(self.latent, state) + still + self.action(action)[:, None, None])
            change, gate = self.output(F.relu(self.middle(x))).chunk(2, -1)
            state = state + change * gate.sigmoid()
            latents.append(state.flatten(1))
        return torch.stack(latents, 1)


class ConditionedBlock(nn.Module):
    def __init__(self, width, heads, ratio):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width, int(width * ratio + 1e-6))
        self.modulation = nn.Linear(width, 6 * width)

    def forward(self, x, condition):
        shift, scale, gate, shift2, scale2, gate2 = self.modulation(condition).chunk(6, -1)
        x = x + gate * self.attn(self.norm1(x) * (1 + scale) + shift, causal=True)
        return x + gate2 * self.mlp(self.norm2(x) * (1 + scale2) + shift2)


class ActionTransformer(nn.Module):
    def __init__(self, config, dim, action, static, grid):
        super().__init__()
        width, self.history = config["width"], config["history"]
        self.input, self.action = nn.Linear(dim, width), nn.Linear(action + static, width)
        if config["positions"] == "learned":
            self.learned_positions = nn.Parameter(0.02 * torch.randn(self.history, width))
        self.blocks = nn.ModuleList(
            ConditionedBlock(width, config["heads"], config["mlp_ratio"]) for _ in range(config["depth"])
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.output = nn.Linear(width, dim)

    def forward(self, latents, actions):
        time = latents.shape[1]
        condition = F.silu(self.action(actions))
        x = self.input(latents)
        if hasattr(self, "learned_positions"):
            x = x + self.learned_positions[:time]
        else:
            x = x + sin_cos_axis(torch.arange(time), x.shape[2]).to(x)
        for block in self.blocks:
            x = block(x, condition)
        return self.output(self.norm(x))

    def rollout(self, start, actions, place, norm):
        latents, actions = start, beside(actions, place)
        for present in range(start.shape[1], actions.shape[1] + 1):
            window = slice(max(0, present - self.history), present)
            predicted = self(latents[:, window], actions[:, window])
            latents = torch.cat([latents, norm(predicted[:, -1:])], 1)
        return latents[:, start.shape[1] :]


PREDICTORS = {
    "gru": Gru,
    "residual-mlp": ResidualMlp,
    "residual-conv": ResidualConv,
    "transformer": ActionTransformer,
}


def beside(actions, place):
    """Every action with the static latent behind it."""
    if place is None:
        return actions
    return torch.cat([actions, place[:, None].expand(-1, actions.shape[1], -1)], 2)


def convolve(layer, tokens):
    """A linear layer on the 3x3 neighbourhood of every token; `tokens`: `[batch, rows, columns, channels]`."""
    kernel = layer.weight.unflatten(1, (3, 3, -1)).permute(0, 3, 1, 2)
    return F.conv2d(tokens.permute(0, 3, 1, 2), kernel, layer.bias, padding=1).permute(0, 2, 3, 1)


# Heads.


class InverseDynamics(nn.Module):
    def __init__(self, dim, action):
        super().__init__()
        self.first, self.second, self.output = nn.Linear(2 * dim, 256), nn.Linear(256, 256), nn.Linear(256, action)

    def forward(self, now, after):
        x = F.relu(self.first(torch.cat([now, after], -1)))
        return self.output(F.relu(self.second(x)))


class PositionHead(nn.Module):
    def __init__(self, dim):
        super().__init__()
        hidden = dim if dim <= 512 else 128
        self.hidden, self.output = nn.Linear(dim, hidden), nn.Linear(hidden, 2)

    def forward(self, latents):
        return self.output(F.relu(self.hidden(latents)))


class GridPosition(nn.Module):
    """Every place says how much the agent seems to be there, and where in it: what is meant by it is the mean of all, `heads/position.rs`."""

    def __init__(self, grid, dim):
        super().__init__()
        self.grid, self.moving = grid, dim
        self.hidden, self.output = nn.Linear(9 * dim // (grid[0] * grid[1]), 32), nn.Linear(32, 3)

    def forward(self, latents):
        rows, columns = self.grid
        tokens = latents[..., -self.moving :].flatten(0, -2).unflatten(1, (rows, columns, -1))
        read = self.output(F.relu(convolve(self.hidden, tokens))).flatten(1, 2)
        along = lambda count: (2 * torch.arange(count) + 1) / count - 1
        y, x = torch.meshgrid(along(rows), along(columns), indexing="ij")
        places = torch.stack([x, y], 2).flatten(0, 1) + read[..., 1:] * torch.tensor([2 / columns, 2 / rows])
        return (places * read[..., :1].softmax(1)).sum(1).unflatten(0, latents.shape[:-1])


class StepDistance(nn.Module):
    def __init__(self, config, dim):
        super().__init__()
        hidden, self.groups = config["hidden"], config["groups"]
        self.first, self.second = nn.Linear(dim, hidden), nn.Linear(hidden, hidden)
        self.output = unbiased(hidden, self.groups * config["size"])

    def embed(self, latents):
        return self.output(F.relu(self.second(F.relu(self.first(latents)))))

    def forward(self, start, goal):
        """`[batch, n, dim]` and `[batch, dim]` to `[batch, n]`."""
        difference = (self.embed(start) - self.embed(goal)[:, None]).abs()
        return difference.unflatten(-1, (self.groups, -1)).amax(-1).sum(-1)


class DistanceField(nn.Module):
    """Shortest paths over the grid; the constants are those of `heads/distance_field.rs`."""

    def __init__(self, config, grid, static, dim):
        super().__init__()
        tokens = grid[0] * grid[1]
        self.grid, self.static = grid, static
        self.around = nn.Linear(9 * (static or dim) // tokens, config["hidden"])
        self.cost = nn.Linear(config["hidden"], 1)
        self.salience = unbiased(dim // tokens, config["hidden"])

    def scores(self, latents):
        tokens = latents[:, self.static :].unflatten(1, (self.grid[0] * self.grid[1], -1))
        differences = self.salience(tokens - tokens.mean(1, keepdim=True))
        return (differences.square().sum(2) + 1e-4).log()

    def presence(self, latents):
        return self.scores(latents).softmax(1)

    def field(self, latents):
        seen = latents[:, : self.static] if self.static else latents
        hidden = F.relu(convolve(self.around, seen.unflatten(1, (*self.grid, -1))))
        costs = F.softplus(self.cost(hidden) * 40 + 5).flatten(1)
        half = torch.tensor([math.hypot(k // 3 - 1, k % 3 - 1) / 2 for k in range(9)]).to(latents)
        ways = (self.neighbourhoods(costs, 0.0) + costs[..., None]) * half
        scores = self.scores(latents)
        field = 5 * (scores.amax(1, keepdim=True) - scores).square()
        for _ in range(sum(self.grid)):
            field = (self.neighbourhoods(field, 1e4) + ways).amin(2)
        return field - (self.presence(latents) * field).sum(1, keepdim=True)

    def neighbourhoods(self, values, outside):
        """`[batch, places]` to `[batch, places, 9]`."""
        padded = F.pad(values.unflatten(1, (1, *self.grid)), (1, 1, 1, 1), value=outside)
        return F.unfold(padded, 3).transpose(1, 2)

    def forward(self, start, goal):
        """`[batch, n, dim]` and `[batch, dim]` to `[batch, n]`."""
        presence = self.presence(start.flatten(0, 1)).unflatten(0, start.shape[:2])
        return (presence @ self.field(goal)[..., None]).squeeze(2)


# Whole models.


class ActionJepa(nn.Module):
    def __init__(self, description):
        super().__init__()
        config, shape, heads = description["model"], description["input"], description["heads"]
        encoder = lambda key: ENCODERS[config[key]["kind"]](config[key], shape)
        self.encoder = encoder("encoder")
        self.static = 0
        if config.get("static_encoder"):
            self.static_encoder = encoder("static_encoder")
            self.static = self.static_encoder.dim
        if config["target"]["kind"] == "momentum":
            self.target = encoder("encoder")
        dim, action, grid = self.encoder.dim, shape["action_dim"], self.encoder.grid
        predictor = config["predictor"]
        self.predictor = PREDICTORS[predictor["kind"]](predictor, dim, action, self.static, grid)
        self.heads = nn.ModuleDict()
        if "inverse_dynamics" in heads:
            self.heads["inverse_dynamics"] = InverseDynamics(self.static + dim, action)
        if "distance" in heads:
            distance = config["distance"]
            self.heads["distance"] = (
                DistanceField(distance, grid, self.static, dim)
                if distance["kind"] == "field"
                else StepDistance(distance, self.static + dim)
            )
        if "position" in heads:
            on_grid = grid != [1, 1]
            self.heads["position"] = GridPosition(grid, dim) if on_grid else PositionHead(self.static + dim)

    def encode(self, video):
        """`[batch, channels, time, height, width]` to `[batch, time, dim]`."""
        frames = video.transpose(1, 2).flatten(0, 1)
        latents = self.encoder(frames)
        if self.static:
            latents = torch.cat([self.static_encoder(frames), latents], 1)
        return latents.unflatten(0, (video.shape[0], video.shape[2]))

    def rollout(self, start, actions):
        place = start[:, -1, : self.static] if self.static else None
        norm = getattr(self.encoder, "norm", None)
        latents = self.predictor.rollout(start[..., self.static :], actions, place, norm)
        if place is None:
            return latents
        return torch.cat([place[:, None].expand(-1, latents.shape[1], -1), latents], 2)

    def outputs(self, inputs, description):
        latents = self.encode(inputs["video"])
        outputs = {"latents": latents, "rollout": self.rollout(latents[:, :2], inputs["actions"])}
        if hasattr(self, "target"):
            frames = inputs["video"].transpose(1, 2).flatten(0, 1)
            outputs["target"] = self.target(frames).unflatten(0, latents.shape[:2])
        if "inverse_dynamics" in self.heads:
            outputs["inverse_dynamics"] = self.heads["inverse_dynamics"](latents[:, 0], latents[:, 1])
        if "distance" in self.heads:
            outputs["distance"] = self.heads["distance"](latents, latents[:, -1])
        if "position" in self.heads:
            outputs["position"] = self.heads["position"](latents)
        return outputs


class MaskedPredictor(nn.Module):
    def __init__(self, config, encoder, grid):
        super().__init__()
        width, heads, dim = config["width"], config["heads"], encoder["dim"]
        self.positions, self.grid, self.head_dim = encoder["positions"], grid, width // heads
        self.embed = nn.Linear(dim, width)
        self.mask_tokens = nn.Parameter(0.02 * torch.randn(config["mask_tokens"], width))
        self.blocks = nn.ModuleList(Block(width, heads, config["mlp_ratio"]) for _ in range(config["depth"]))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.proj = nn.Linear(width, dim)
        if config["residual"]:
            self.carry = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, context, context_ids, target_ids):
        mask = self.mask_tokens[0].expand(*target_ids.shape, -1)
        start = self.start(context, context_ids, target_ids) if hasattr(self, "carry") else None
        if start is not None:
            mask = mask + self.embed(start)
        x, ids = torch.cat([self.embed(context), mask], 1), torch.cat([context_ids, target_ids], 1)
        if self.positions == "sin-cos":
            x = x + sin_cos_table(self.grid, x.shape[2]).to(x)[ids]
        rotation = rotation_of(self.positions, ids, self.grid, self.head_dim, x)
        for block in self.blocks:
            x = block(x, rotation)
        predicted = self.proj(self.norm(x[:, context.shape[1] :]))
        return predicted if start is None else predicted + start

    def start(self, context, context_ids, target_ids):
        """The normed latent of the context token at the same place, the last one before or the first one after; else zeros."""
        normed, places = self.carry(context), self.grid[1] * self.grid[2]
        starts = torch.zeros(*target_ids.shape, context.shape[2]).to(context)
        for clip, (seen, hidden) in enumerate(zip(context_ids.tolist(), target_ids.tolist())):
            for index, target in enumerate(hidden):
                here = [token for token in seen if token % places == target % places]
                before = [token for token in here if token < target]
                if here:
                    starts[clip, index] = normed[clip, seen.index(before[-1] if before else here[0])]
        return starts


class MaskedJepa(nn.Module):
    def __init__(self, description):
        super().__init__()
        config, shape = description["model"], description["input"]
        encoder = config["encoder"]
        grid = [shape["frames"] // encoder["tubelet"]] + [shape[it] // encoder["patch"] for it in ("height", "width")]
        self.encoder = VideoVit(encoder, shape["channels"])
        self.target = VideoVit(encoder, shape["channels"])
        self.predictor = MaskedPredictor(config["predictor"], encoder, grid)

    def outputs(self, inputs, description):
        video = inputs["video"]
        context_ids, target_ids = (torch.tensor(description["mask"][it]) for it in ("context", "target"))
        context = self.encoder(video, context_ids)
        predicted = self.predictor(context, context_ids, target_ids)
        return {"context": context, "predicted": predicted, "targets": self.target(video)}


def model_of(description):
    return (MaskedJepa if description["model"]["kind"] == "masked" else ActionJepa)(description)


def outputs_of(model, description, inputs):
    """Outputs by name, computed in double precision."""
    model = model.double().eval()
    with torch.no_grad():
        outputs = model.outputs({name: tensor.double() for name, tensor in inputs.items()}, description)
    return {name: tensor.float().contiguous() for name, tensor in outputs.items()}

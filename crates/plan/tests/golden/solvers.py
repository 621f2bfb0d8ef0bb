"""Runs stable-worldmodel's solvers on known costs and writes the noise they drew and the plans they found.

    pip install stable-worldmodel==0.1.1 opencv-python-headless imageio
    python solvers.py            # writes solvers.json beside this file

Everything a solver draws is recorded by standing in for torch.randn and torch.rand. The numbers of a case are those of one episode.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import gymnasium
import numpy
import torch
from stable_worldmodel.solver.categorical_cem import CategoricalCEMSolver
from stable_worldmodel.solver.cem import CEMSolver
from stable_worldmodel.solver.gd import GradientSolver
from stable_worldmodel.solver.icem import ICEMSolver
from stable_worldmodel.solver.mppi import MPPISolver
from stable_worldmodel.solver.pgd import PGDSolver

HORIZON, WIDTH, SAMPLES, ELITES, ROUNDS = 4, 2, 24, 6, 5
# Least distance in cost between the last elite and the first that is none: what the choice of elites must not hang on.
GAP = 1e-4


class Cost:
    """A cost of action sequences around a target; waves give it many valleys."""

    def __init__(self, target, waves):
        self.target, self.waves, self.elites, self.least = torch.tensor(target), waves, None, float("inf")

    def get_cost(self, info, actions):
        away = actions - self.target
        cost = away.square()
        if self.waves:
            cost = 0.6 * cost + 1 - torch.cos(2 * torch.pi * away)
        cost = cost.sum(dim=(2, 3))
        self.least = min(self.least, float(cost.detach().min()))
        if self.elites:
            ordered = cost.detach().sort(dim=1).values[0]
            assert ordered[self.elites] - ordered[self.elites - 1] > GAP, "another seed, please"
        return cost


class Recorder:
    """Stands in for a random function of torch and keeps what it gave; `edit` may change a draw before it is used."""

    def __init__(self, name, edit=lambda index, values: values):
        self.name, self.edit, self.drawn = name, edit, []

    def __enter__(self):
        self.original = getattr(torch, self.name)

        def draw(*arguments, **keywords):
            values = self.edit(len(self.drawn), self.original(*arguments, **keywords))
            self.drawn.append(values.clone())
            return values

        setattr(torch, self.name, draw)
        return self

    def __exit__(self, *_):
        setattr(torch, self.name, self.original)


def configured(solver, space, block=1):
    config = SimpleNamespace(horizon=HORIZON, action_block=block)
    solver.configure(action_space=space, n_envs=1, config=config)
    return solver


def box(bound):
    return gymnasium.spaces.Box(-bound, bound, shape=(1, WIDTH), dtype=numpy.float32)


def numbers(tensor):
    return [float(value) for value in tensor.detach().float().flatten()]


def case(solver, cost, noise, actions, **keys):
    target = [float(value) for value in cost.target.flatten()]
    return dict(solver=solver, target=target, waves=cost.waves, noise=noise, actions=numbers(actions), **keys)


INFO = {"state": torch.zeros(1, 1)}


def sampling(waves):
    """CEM and MPPI, whose draws are [1, samples, horizon, width]."""
    cost = Cost([0.4, -0.7], waves)
    cost.elites = ELITES
    common = dict(num_samples=SAMPLES, n_steps=ROUNDS, topk=ELITES, var_scale=1.5)
    for name, solver in [
        ("cem", CEMSolver(cost, seed=11, **common)),
        ("mppi", MPPISolver(cost, seed=12, temperature=0.7, **common)),
    ]:
        with Recorder("randn") as recorder:
            found = configured(solver, box(9.0)).solve(dict(INFO))
        yield case(name, cost, [numbers(draw) for draw in recorder.drawn], found["actions"], std=1.5)


def coloured(white, beta):
    """The noise that ICEMSolver makes of its draws: it divides every sequence by its own deviation."""
    scale = torch.fft.rfftfreq(HORIZON)
    scale[0] = 1.0
    scale = scale.pow(-beta / 2)
    scale[0] = scale[1]
    noise = torch.fft.irfft(torch.fft.rfft(white, dim=-1) * scale, n=HORIZON, dim=-1)
    return (noise / noise.std(dim=-1, keepdim=True).clamp(min=1e-8)).transpose(-1, -2)


def icem(waves):
    """iCEM, with the noise after it was coloured."""
    cost = Cost([0.4, -0.7], waves)
    cost.elites = ELITES
    solver = ICEMSolver(
        cost,
        num_samples=SAMPLES,
        n_steps=ROUNDS,
        topk=ELITES,
        var_scale=1.0,
        noise_beta=2.0,
        alpha=0.2,
        n_elite_keep=3,
        return_mean=False,
        seed=13,
    )
    with Recorder("randn") as recorder:
        found = configured(solver, box(0.9)).solve(dict(INFO))
    noise = [numbers(coloured(draw, 2.0)) for draw in recorder.drawn]
    yield case("icem", cost, noise, found["actions"], std=1.0, bound=0.9, momentum=0.2, kept=3)


def gradient(waves):
    """Gradient descent. Upstream returns where the last step led the sample that was the cheapest before it: in these cases the best
    place that any sample has been at."""
    adam, sgd = torch.optim.Adam, torch.optim.SGD
    for name, optimizer, rate, samples, clip, noise in [
        ("adam", adam, 0.01, 6, None, 0.0),
        ("sgd", sgd, 0.01, 6, None, 0.0),
        # Upstream shortens the derivatives of all samples and episodes together: the same only for one of one.
        ("sgd", sgd, 0.01, 1, 0.5, 0.0),
        ("adam", adam, 0.01, 1, None, 0.002),
    ]:
        cost = Cost([0.4, -0.7], waves)
        steps = 20
        solver = GradientSolver(
            cost,
            n_steps=steps,
            num_samples=samples,
            var_scale=1.0,
            action_noise=noise,
            optimizer_cls=optimizer,
            optimizer_kwargs={"lr": rate},
            grad_clip=clip,
            seed=14,
        )
        # The first draw is where the samples start, the others follow the steps. After the last step nothing more is added.
        with Recorder("randn", lambda index, values: values * (index < steps)) as recorder:
            found = configured(solver, box(9.0)).solve(dict(INFO))
        first, *rest = [numbers(draw) for draw in recorder.drawn]
        # Upstream draws nothing for the first sample, which starts at the mean.
        noise_of = [[0.0] * (HORIZON * WIDTH) + first, *rest[:-1]]
        cost.get_cost(None, solver.init.detach())
        chosen = float(cost.get_cost(None, found["actions"][:, None])[0, 0])
        assert chosen <= cost.least, f"{name} {rate}: {chosen} is not the least cost on the way, {cost.least}"
        keys = dict(optimizer=name, rate=rate, samples=samples, steps=steps, clip=clip, deviation=noise, std=1.0)
        yield case("gradient", cost, noise_of, found["actions"], **keys)


def choices():
    """Categorical CEM and projected gradient descent, over blocks of two choices out of three."""
    target = [0.1, 0.9, 0.3, 0.2, 0.1, 0.6]
    space = gymnasium.spaces.Discrete(3)
    hot = lambda found: torch.nn.functional.one_hot(found, 3)
    cost = Cost(target, False)
    # Sequences of equal cost are sorted differently: the target of each step is its own.
    cost.target = cost.target + 0.05 * torch.arange(HORIZON)[:, None] * torch.tensor([1.0, -0.4, 0.3, 0.2, 0.7, -0.5])
    keys = dict(smoothing=0.05, alpha=0.3, num_samples=SAMPLES, n_steps=4, topk=ELITES)
    solver = CategoricalCEMSolver(cost, seed=15, **keys)
    with Recorder("rand") as recorder:
        found = configured(solver, space, block=2).solve(dict(INFO))
    probabilities = numbers(found["probs"][0])
    yield case(
        "categorical-cem",
        cost,
        [numbers(draw) for draw in recorder.drawn],
        hot(found["actions"]),
        probabilities=probabilities,
        smoothing=0.05,
        momentum=0.3,
    )
    # Upstream starts its first sample at zero, not at probabilities: of a quadratic cost the projection makes the same of both.
    for steps in [1, 3]:
        solver = PGDSolver(cost, n_steps=steps, num_samples=1)
        found = configured(solver, space, block=2).solve(dict(INFO))
        yield case("projected-gradient", cost, [], hot(found["actions"]), steps=steps, relaxed=numbers(solver.init))


def main():
    cases = [found for waves in (False, True) for make in (sampling, icem, gradient) for found in make(waves)]
    cases += list(choices())
    shape = dict(horizon=HORIZON, width=WIDTH, samples=SAMPLES, elites=ELITES, rounds=ROUNDS)
    text = json.dumps(dict(**shape, cases=cases), separators=(",", ":"))
    # Seven digits tell every float32 of this size to 1e-7.
    short = json.loads(text, parse_float=lambda value: float(f"{float(value):.7g}"))
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(short, separators=(",", ":")) + "\n")
    print(path.name, path.stat().st_size, "bytes,", len(cases), "cases")


main()

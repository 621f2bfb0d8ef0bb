"""Opens what `prevision data generate` recorded with stable-worldmodel's own reader of its `video` format and compares lengths,
frames, actions and states with ours.

    python3 -m venv venv && venv/bin/pip install stable-worldmodel==0.1.1 decord opencv-python-headless
    make build
    venv/bin/python crates/env/tests/stable_worldmodel/read_recording.py target/release/prevision

It takes several gigabytes of packages, so it is not among the tests. What the other side writes and ours reads is
`written_by_stable_worldmodel` in crates/data/tests/it/foreign_recording.rs.
"""

import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from PIL import Image

warnings.filterwarnings("ignore")
from stable_worldmodel.data import VideoDataset, load_dataset  # noqa: E402

EPISODES, STEPS, SEED, CRF = 12, 40, 7, 12
FRAMES = STEPS + 1
prevision = pathlib.Path(sys.argv[1]).resolve()


def check(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")


def record(folder, *options):
    """Records a folder and opens it, as it is, with stable-worldmodel: format and columns are what it finds there itself."""
    command = [prevision, "data", "generate", "two-rooms", "--out", folder]
    command += ["--episodes", EPISODES, "--steps", STEPS, "--seed", SEED, *options]
    subprocess.run(map(str, command), check=True, capture_output=True)
    dataset = load_dataset(str(folder), video_keys=["pixels"])
    check(type(dataset) is VideoDataset, f"{folder.name} was taken for {type(dataset).__name__}")
    check(dataset.column_names == ["action", "layout", "pixels", "state"], f"columns {dataset.column_names}")
    check(list(dataset.lengths) == [FRAMES] * EPISODES, f"lengths {dataset.lengths}")
    check(list(dataset.offsets) == [FRAMES * i for i in range(EPISODES)], f"offsets {dataset.offsets}")
    return dataset


def our_frames(folder, episode):
    """All frames of an episode as our decoder gives them, [t, c, h, w]."""
    with tempfile.TemporaryDirectory() as pictures:
        film = folder / "pixels" / f"ep_{episode}.mp4"
        indices = ",".join(map(str, range(FRAMES)))
        subprocess.run([prevision, "data", "frames", film, "--index", indices, "--out", pictures], check=True, capture_output=True)
        paths = sorted(pathlib.Path(pictures).glob("*.png"))
        check(len(paths) == FRAMES, f"{len(paths)} pictures of {FRAMES} frames")
        return np.stack([np.asarray(Image.open(path)) for path in paths]).transpose(0, 3, 1, 2).astype(int)


def dot(frames):
    """x and y of the centre of the dot, which has the red channel for itself, [t, 2]."""
    red = frames[:, 0].astype(float)
    red[red < 32] = 0  # what a lossy codec leaves elsewhere
    weight = red.sum(axis=(1, 2))
    x = (red.sum(axis=1) * np.arange(red.shape[2])).sum(axis=1) / weight
    y = (red.sum(axis=2) * np.arange(red.shape[1])).sum(axis=1) / weight
    return np.stack([x, y], axis=1)


with tempfile.TemporaryDirectory() as root:
    exact_folder, lossy_folder = pathlib.Path(root) / "lossless", pathlib.Path(root) / "lossy"
    exact, lossy = record(exact_folder), record(lossy_folder, "--crf", CRF)
    decoders, codec, places = 0, [], []
    for episode in range(EPISODES):
        theirs = exact.load_episode(episode)
        frames = theirs["pixels"].numpy().astype(int)
        check(frames.shape == (FRAMES, 3, 65, 65), f"episode {episode}: frames {frames.shape}")
        check((frames == our_frames(exact_folder, episode)).all(), f"episode {episode}: a lossless frame differs")
        compressed = lossy.load_episode(episode)["pixels"].numpy().astype(int)
        decoders = max(decoders, np.abs(compressed - our_frames(lossy_folder, episode)).max())
        codec.append(np.mean((compressed - frames) ** 2))

        # Rows belong to their frames: the dot is where the state says, and moves as the action says unless a wall stops it.
        state, action = theirs["state"].numpy(), theirs["action"].numpy()
        check(state.shape == action.shape == (FRAMES, 2), f"episode {episode}: state {state.shape}, action {action.shape}")
        places.append(np.abs(dot(frames) - state).max())
        check(np.isnan(action[-1]).all() and not np.isnan(action[:-1]).any(), f"episode {episode}: NaN not only in the last action")
        moves = np.diff(state, axis=0)
        stopped = (moves == 0).all(axis=1)
        wrong = np.abs(moves - action[:-1])[~stopped]
        check(wrong.max() < 1e-4, f"episode {episode}: a move differs from its action by {wrong.max()}")

    check(decoders <= 1, f"the decoders differ by {decoders} levels on lossy frames")
    noise = 10 * np.log10(255**2 / np.mean(codec))
    check(noise > 35, f"lossy frames: {noise:.1f} dB")
    check(max(places) < 0.3, f"the dot is up to {max(places):.2f} px from the state")

    # Clips: 4 steps of 5 frames, five actions a step.
    clips = load_dataset(str(exact_folder), video_keys=["pixels"], num_steps=4, frameskip=5)
    check(len(clips) == EPISODES * (FRAMES - 20 + 1), f"{len(clips)} clips")
    clip = clips[FRAMES - 20 + 1 + 3]
    episode = exact.load_episode(1)
    check((clip["pixels"] == episode["pixels"][3:23:5]).all(), "a clip has other frames than its episode")
    check((clip["action"] == episode["action"][3:23].reshape(4, 10)).all(), "a clip has other actions than its episode")

print(
    f"stable-worldmodel reads {EPISODES} episodes of {FRAMES} frames: lossless ones bit for bit, lossy ones (crf {CRF}) at {noise:.1f} dB "
    f"and as our decoder does to {decoders} of 255; the dot is within {max(places):.2f} px of its state; {len(clips)} clips"
)

"""Writes goals of Pendulum into a folder: the first moment of seed 11 as a picture, and as row 4 of a recording of two episodes."""
import pathlib
import sys

import cv2
import gymnasium
import numpy as np

folder = pathlib.Path(sys.argv[1])
env = gymnasium.make("Pendulum-v1", render_mode="rgb_array")
states, frames = [], []
for seed in (3, 4, 5, 6, 11, 12):
    states.append(env.reset(seed=seed)[0])
    frames.append(env.render())
np.save(folder / "goal.npy", frames[4])
cv2.imwrite(str(folder / "goal.png"), frames[4][..., ::-1])
recording = folder / "recording"
(recording / "pixels").mkdir(parents=True, exist_ok=True)
np.savez(recording / "ep_len.npz", np.array([3, 3], np.int32))
np.savez(recording / "state.npz", np.array(states, np.float32))
for episode in range(2):
    video = cv2.VideoWriter(str(recording / "pixels" / f"ep_{episode}.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 10, (500, 500))
    for frame in frames[3 * episode:][:3]:
        video.write(frame[..., ::-1])
    video.release()

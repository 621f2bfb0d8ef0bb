#!/bin/sh
# Tests the bridge to Gymnasium with the packages of PyPI, in a virtual environment: run.sh [FOLDER]. The folder is kept, so that a second
# run need not install them again.
set -eu
cd "$(dirname "$0")/../../../.."
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
folder=$(realpath "$folder")
[ -x "$folder/venv/bin/python" ] || python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy pillow "gymnasium[classic-control]==1.4.0" gym-pusht==0.1.8 minigrid==3.2.0 ale-py==0.12.1
export PREVISION_GYM_PYTHON="$folder/venv/bin/python" PREVISION_GYM_FOLDER="$folder"
"$PREVISION_GYM_PYTHON" crates/env/tests/gym/goals.py "$folder"
cargo test --release -p prevision-env --test it -- --ignored gym::

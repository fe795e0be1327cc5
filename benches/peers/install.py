"""Installs the peers, each in the versions of `requirements/` and in a virtual environment of its own.

    python3 benches/peers/install.py [PEER...]

They go to `target/peers/PEER`, or below the folder that `NEUROPIL_PEERS` names. Python 3.11 or later, `pip`'s package index,
and, for Brian 2 and ANNarchy, g++ and make are needed. A peer that cannot be installed is told with the last lines that
pip said, the others are installed nevertheless, and the exit status is 1.
"""

import pathlib
import shutil
import subprocess
import sys
import venv

from place import PEERS, environment, interpreter

HERE = pathlib.Path(__file__).resolve().parent
COMPILING = {"brian2": ["g++", "make"], "annarchy": ["g++", "make"]}


def install(peer):
    """What went wrong, or nothing."""
    missing = [tool for tool in COMPILING.get(peer, []) if shutil.which(tool) is None]
    if missing:
        return f"it compiles what it generates, and there is no {' and no '.join(missing)}"
    directory = environment(peer)
    if not interpreter(peer).exists():
        venv.create(directory, with_pip=True)
    command = [interpreter(peer), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--requirement", HERE / "requirements" / f"{peer}.txt"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        return "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
    return None


def main():
    asked = sys.argv[1:] or list(PEERS)
    unknown = [peer for peer in asked if peer not in PEERS]
    if unknown:
        sys.exit(f"there is no peer {', '.join(unknown)}: {', '.join(PEERS)}")
    failed = False
    for peer in asked:
        print(f"{peer}: installing to {environment(peer)}", flush=True)
        wrong = install(peer)
        if wrong:
            failed = True
            print(f"{peer}: not installed\n{wrong}", flush=True)
        else:
            print(f"{peer}: ready", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""Where the peers are installed, and where they put what they compile."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ("brian2", "nest", "annarchy", "numpy")


def target():
    """The build folder, as cargo's."""
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target")


def peers():
    """The folder of everything that belongs to peers."""
    chosen = os.environ.get("NEUROPIL_PEERS")
    return pathlib.Path(chosen).resolve() if chosen else target() / "peers"


def environment(peer):
    """The virtual environment of a peer."""
    return peers() / peer


def interpreter(peer):
    """The Python of a peer's environment."""
    return environment(peer) / "bin" / "python"


def work(peer, name):
    """Where a network of a peer is compiled."""
    return peers() / "work" / peer / name

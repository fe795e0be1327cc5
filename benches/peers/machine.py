"""What is told of the machine and the sources beside measurements: processor, caches, vector units, versions; no names."""

import os
import pathlib
import platform
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
VECTOR_FLAGS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "asimd", "sve")


def about():
    """A dictionary of texts and numbers."""
    info = pathlib.Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""

    def field(name):
        found = re.search(rf"^{name}\s*:\s*(.*)$", info, re.MULTILINE)
        return found.group(1).strip() if found else ""

    flags = set((field("flags") or field("Features")).split())
    return {
        "processor": field("model name") or platform.machine(),
        "family_model_stepping": " ".join(filter(None, map(field, ("cpu family", "model", "stepping")))),
        "vector_units": [flag for flag in VECTOR_FLAGS if flag in flags],
        "processors": os.cpu_count(),
        "caches": caches(),
        "memory_gib": memory_gib(),
        "transparent_huge_pages": first_of("/sys/kernel/mm/transparent_hugepage/enabled"),
        "system": f"{platform.system()} {platform.release()}",
        "rustc": said(["rustc", "--version"]),
        "g++": said(["g++", "--version"]),
        "commit": said(["git", "rev-parse", "--short=12", "HEAD"]),
        "changed_files": len(said(["git", "status", "--porcelain"], all_lines=True).splitlines()),
    }


def caches():
    """Such as `L2 unified 2048K`, for the first processor."""
    found = []
    for index in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = [first_of(index / name) for name in ("level", "type", "size")]
        found.append(f"L{level} {kind.lower()} {size}")
    return found


def memory_gib():
    """Installed memory, rounded."""
    found = re.search(r"^MemTotal:\s*(\d+)", first_of("/proc/meminfo", whole=True), re.MULTILINE)
    return round(int(found.group(1)) / 2**20) if found else None


def load():
    """How many processes ran or waited during the last minute: a machine that is not quiet."""
    return round(os.getloadavg()[0], 2)


def name(facts):
    """A short name for a folder, such as `intel-xeon-2-cores`."""
    words = re.sub(r"\(.*?\)|processor|cpu|@.*", " ", facts["processor"].lower())
    words = re.sub(r"[^a-z0-9]+", "-", words).strip("-") or "machine"
    return f"{words}-{facts['processors']}-cores"


def first_of(path, whole=False):
    """The first line of a file, or all of it; nothing if there is none."""
    try:
        text = pathlib.Path(path).read_text()
    except OSError:
        return ""
    return text if whole else text.splitlines()[0].strip() if text else ""


def said(command, all_lines=False):
    """The first line that a program prints, or all; nothing if it does not run."""
    try:
        text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return text if all_lines else text.splitlines()[0].strip() if text else ""

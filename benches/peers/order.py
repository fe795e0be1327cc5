"""What every script of a peer shares: the run that is asked for, how it is timed, and the one line that is printed.

A script is called as `python SCRIPT.py ORDER`, where ORDER is a JSON object with the fields of `Order`. Its last line on
standard output is a JSON object with the fields of `Outcome`, after the marker `RESULT`.
"""

import dataclasses
import json
import platform
import resource
import sys
import time

MARKER = "RESULT "


@dataclasses.dataclass
class Order:
    """A run that is asked for."""

    network: str
    """Name of the network in `networks.toml`."""
    values: dict
    """Constants of the network, as `--set` gives them to our model."""
    duration_s: float
    """Simulated time that is measured."""
    dt_s: float
    threads: int
    precision: str
    """`f32` or `f64`."""
    flags: str
    """`default` or `best` compiler flags, where a peer compiles."""
    directory: str
    """A directory of this network, size and precision alone, for what is compiled."""
    seed: int = 1

    @staticmethod
    def taken():
        """The order of the command line. Peers that read the command line themselves find it empty."""
        order = Order(**json.loads(sys.argv[1]))
        del sys.argv[1:]
        return order

    def value(self, name, otherwise):
        """A constant, or what the model says."""
        return self.values.get(name, otherwise)


@dataclasses.dataclass
class Outcome:
    """What a run did. Times are in seconds."""

    peer: str
    version: str
    neurons: int
    synapses: int
    precision: str
    threads: int
    duration_s: float
    build_s: float
    """Making populations and synapses; what is compiled is not in it."""
    compile_s: float
    """Generating and compiling code; none if it was there."""
    run_s: float
    run_cpu_s: float
    """Of all threads, user and system."""
    rate_hz: float
    """Spikes per neuron and second, or the mean of the rates of rate-coded neurons."""
    flags: str = ""
    remarks: str = ""
    peak_rss_bytes: int | None = None
    """The most memory that was held; none stands for that of the script itself."""

    def tell(self):
        """Prints the one line."""
        fields = dataclasses.asdict(self)
        fields["python"] = platform.python_version()
        if self.peak_rss_bytes is None:
            fields["peak_rss_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(MARKER + json.dumps(fields), flush=True)


class Clock:
    """Wall time and processor time of a `with` block."""

    def __enter__(self):
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.wall_s = time.perf_counter() - self._wall
        self.cpu_s = time.process_time() - self._cpu

"""ANNarchy: generates and compiles a script's network, simulates one step and then the time that is measured.

With `best` flags its code is compiled with `-O3 -march=native -ffast-math`, with `default` flags as it comes. Its own
vectorised products (`disable_SIMD_SpMV=False`) stay off, as they are by default: what version 5.0.4.1 generates with them
for a dense matrix does not compile. Spikes are counted after the time that is measured, by a monitor that was paused
until then.
"""

import os
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from order import Clock, Order, Outcome  # noqa: E402

BEST = "-O3 -march=native -ffast-math"
COUNTED_MS = 1000.0
"""How long spikes are counted, at most as long as was measured."""


def measure(build):
    """Runs the network that `build(order, network)` makes: it returns the population whose rate is told, and the numbers
    of all neurons and synapses: `(population, neurons, projections)`."""
    order = Order.taken()
    directory = pathlib.Path(order.directory)
    directory.mkdir(parents=True, exist_ok=True)
    # It keeps its settings in the folder of the user, and writes what it compiles into the working directory.
    os.environ["HOME"] = str(directory)
    os.chdir(directory)
    import ANNarchy as ann
    import numpy as np

    network = ann.Network(dt=order.dt_s * 1e3, seed=order.seed)
    network.config(
        num_threads=order.threads, dtype={"f32": ann.float32, "f64": ann.float64}[order.precision],
        disable_shared_library_time_offset=False,
    )  # fmt: skip
    with Clock() as building:
        population, neurons, projections = build(order, network)
        spiking = population.neuron_type.type == "spike"
        monitor = network.monitor(population, ["spike"], start=False) if spiking else None
    with Clock() as compiling:
        network.compile(compiler_flags=BEST if order.flags == "best" else "default", silent=True)
    network.simulate(order.dt_s * 1e3)
    with Clock() as running:
        network.simulate(order.duration_s * 1e3)
    if spiking:
        counted_ms = min(COUNTED_MS, order.duration_s * 1e3)
        monitor.start()
        network.simulate(counted_ms)
        spikes = sum(len(times) for times in monitor.get("spike").values())
        rate_hz = spikes / population.size / (counted_ms * 1e-3)
    else:
        rate_hz = float(np.mean(population.r))
    Outcome(
        peer="annarchy",
        version=ann.__release__,
        neurons=neurons,
        synapses=sum(projection.nb_synapses for projection in projections),
        precision=order.precision,
        threads=order.threads,
        duration_s=order.duration_s,
        build_s=building.wall_s,
        compile_s=compiling.wall_s,
        run_s=running.wall_s,
        run_cpu_s=running.cpu_s,
        rate_hz=rate_hz,
        flags=BEST if order.flags == "best" else "-march=native -O3",
        remarks="compile_s holds the making of synapses too",
    ).tell()

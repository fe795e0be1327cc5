"""NEST: resets its kernel, builds a script's network, simulates one step and then the time that is measured.

NEST computes in f64 only. Its shortest delay is one step, where the other simulators have synapses without delay. Its
kernel counts the spikes, so that nothing is recorded.
"""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from order import Clock, Order, Outcome  # noqa: E402


def measure(build):
    """Runs the network that `build(order)` makes: it returns the neurons whose spikes count, and the number of neurons in
    all. Parrot neurons among them repeat the spikes of generators, and are counted by NEST; the third value is their rate
    in all, in spikes per second."""
    order = Order.taken()
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.local_num_threads = order.threads
    nest.resolution = order.dt_s * 1e3
    nest.rng_seed = order.seed
    with Clock() as building:
        cells, neurons, parrot_rate = build(order)
    synapses = nest.num_connections
    # The first step distributes what the threads know of each other's connections.
    with Clock() as first:
        nest.Simulate(order.dt_s * 1e3)
    spikes = nest.local_spike_counter
    with Clock() as running:
        nest.Simulate(order.duration_s * 1e3)
    spikes = nest.local_spike_counter - spikes
    Outcome(
        peer="nest",
        version=nest.__version__,
        neurons=neurons,
        synapses=synapses,
        precision="f64",
        threads=order.threads,
        duration_s=order.duration_s,
        build_s=building.wall_s + first.wall_s,
        compile_s=0.0,
        run_s=running.wall_s,
        run_cpu_s=running.cpu_s,
        rate_hz=(spikes / order.duration_s - parrot_rate) / len(cells),
        flags="as built by its makers",
    ).tell()

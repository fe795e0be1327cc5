"""NEST: resets its kernel, builds a script's network, simulates one step and then the time that is measured.

NEST computes in f64 only. Its shortest delay is one step, where the other simulators have synapses without delay. Its
kernel counts the spikes, so that nothing is recorded unless some of the neurons are not to be counted.
"""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from order import Clock, Order, Outcome  # noqa: E402


def measure(build):
    """Runs the network that `build(order)` makes: it returns the neurons whose spikes count, the number of neurons in
    all, and a recorder of those spikes if other neurons spike too, or none."""
    order = Order.taken()
    import nest

    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.ResetKernel()
    nest.local_num_threads = order.threads
    nest.resolution = order.dt_s * 1e3
    nest.rng_seed = order.seed
    with Clock() as building:
        cells, neurons, recorder = build(order)
    synapses = nest.num_connections

    def spikes():
        return recorder.n_events if recorder else nest.local_spike_counter

    # The first step distributes what the threads know of each other's connections.
    with Clock() as first:
        nest.Simulate(order.dt_s * 1e3)
    before = spikes()
    with Clock() as running:
        nest.Simulate(order.duration_s * 1e3)
    counted = spikes() - before
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
        rate_hz=counted / order.duration_s / len(cells),
        flags="as built by its makers",
    ).tell()

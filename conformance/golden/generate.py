"""Spikes of small deterministic networks as Brian 2 computes them.

Run with Brian 2.9 and NumPy below 2.4: `python generate.py`. Each network has its counterpart in NAME.toml beside this
file; NAME.spikes.txt holds one line per spike, `step neuron`, of the population `cells`, in double precision.
"""

import numpy as np
from brian2 import (
    Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, __version__, defaultclock, mV, ms, prefs
)

prefs.codegen.target = "numpy"
defaultclock.dt = 0.1 * ms


def cuba():
    """Exact integration, refractoriness, spikes that act without delay."""
    equations = """
    dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
    dge/dt = -ge/taue : volt
    dgi/dt = -gi/taui : volt
    """
    cells = NeuronGroup(100, equations, threshold="v > Vt", reset="v = Vr", refractory=5 * ms, method="exact",
                        namespace=dict(taum=20 * ms, taue=5 * ms, taui=10 * ms, Vt=-50 * mV, Vr=-60 * mV, El=-49 * mV))
    cells.v = "Vr + ((i*37) % 100)/100.0*(Vt - Vr)"
    exc = Synapses(cells, cells, on_pre="ge += 4*mV")
    exc.connect("i < 80 and (i*7 + j*3) % 11 == 0")
    inh = Synapses(cells, cells, on_pre="gi -= 15*mV")
    inh.connect("i >= 80 and (i*5 + j*2) % 7 == 0")
    return [cells, exc, inh], cells


def delays():
    """A delay per synapse, exponential Euler, a refractory period that differs between neurons."""
    equations = """
    dv/dt = (13*mV - v + (60*mV - v)*g)/(10*ms) : volt (unless refractory)
    dg/dt = -g/(3*ms) : 1
    rest : second
    """
    cells = NeuronGroup(
        60, equations, threshold="v > 11*mV", reset="v = 2*mV", refractory="rest", method="exponential_euler"
    )
    cells.v = "((i*13) % 60)/60.0*11*mV"
    cells.rest = "(1 + (i % 4))*ms"
    synapses = Synapses(cells, cells, "w : 1", on_pre="g += w")
    synapses.connect("i != j and (i + 2*j) % 5 == 0")
    synapses.w = "0.01*(1 + (i + j) % 3)"
    synapses.delay = "0.1*ms*((i*3 + j*5) % 40)"
    return [cells, synapses], cells


def stdp():
    """Event-driven traces, clipped weights, pathways on both sides, one with a delay."""
    times = [(0.3 * k) % 180 for k in range(600)]
    neurons = [(k * 17) % 50 for k in range(600)]
    order = np.lexsort((neurons, np.round(np.array(times) / 0.1)))
    source = SpikeGeneratorGroup(50, np.array(neurons)[order], np.array(times)[order] * ms)
    cells = NeuronGroup(
        6, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
    )
    synapses = Synapses(
        source,
        cells,
        """
        w : 1
        dApre/dt = -Apre/(20*ms) : 1 (event-driven)
        dApost/dt = -Apost/(20*ms) : 1 (event-driven)
        """,
        on_pre="""
        v_post += w
        Apre += 0.01
        w = clip(w + Apost, 0, 0.5)
        """,
        on_post="""
        Apost -= 0.0105
        w = clip(w + Apre, 0, 0.5)
        """,
    )
    synapses.connect("(i + j) % 2 == 0")
    synapses.w = "0.1 + 0.01*((i + j) % 7)"
    synapses.pre.delay = "1*ms"
    return [source, cells, synapses], cells


for build in (cuba, delays, stdp):
    objects, cells = build()
    monitor = SpikeMonitor(cells)
    network = Network(objects, monitor)
    network.run(200 * ms)
    steps = np.round(np.array(monitor.t / ms) / 0.1).astype(int)
    with open(f"{build.__name__}.spikes.txt", "w", encoding="utf-8") as file:
        file.write(f"# Brian {__version__}, NumPy target, double precision, 200 ms; written by generate.py\n")
        for step, neuron in zip(steps, np.array(monitor.i)):
            file.write(f"{step} {neuron}\n")
    print(build.__name__, len(steps))

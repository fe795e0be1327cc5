"""States of neurons with a shape, step by step, as Brian 2 computes them.

Run with Brian 2.9, SciPy, and NumPy below 2.4: `python cable.py`. Networks have their counterparts in cable.toml and
soma.toml beside this file; NAME.states.txt holds, for each recorder, lines with one value per step.

Brian solves three tridiagonal systems per section and a small one between them; Neuropil eliminates along the tree. The
solutions agree but for rounding, which a soma enlarges: Brian gives a sphere 1 m over the resistivity, nine orders of
magnitude more than what hangs on it, and subtracts numbers of that size (`1 - u_plus`), so that seven digits of the
coupling are left.
"""

import numpy as np
from brian2 import (
    Cylinder, Equations, Morphology, Network, Section, Soma, SpatialNeuron, SpikeMonitor, StateMonitor, Synapses,
    __version__, cm, defaultclock, mV, ms, msiemens, nA, nS, ohm, prefs, uF, um
)

prefs.codegen.target = "numpy"
defaultclock.dt = 0.1 * ms

CONSTANTS = dict(El=10.613 * mV, ENa=115 * mV, EK=-12 * mV, gl=0.3 * msiemens / cm**2, gK=36 * msiemens / cm**2,
                 DT=2 * mV, VT=6 * mV)


def neuron(shape, extra="", **options):
    equations = Equations(f"""
    Im = gl*(El - v) + gNa*m**3*h*(ENa - v) + gK*n**4*(EK - v){extra} : amp/meter**2
    Is = gs*(60*mV - v) : amp (point current)
    I : amp (point current)
    Igap : amp (point current)
    gNa : siemens/meter**2
    dgs/dt = -gs/(2*ms) : siemens
    dm/dt = alpham*(1 - m) - betam*m : 1
    dn/dt = alphan*(1 - n) - betan*n : 1
    dh/dt = alphah*(1 - h) - betah*h : 1
    alpham = 1/exprel(2.5 - v/(10*mV))/ms : hertz
    betam = 4*exp(-v/(18*mV))/ms : hertz
    alphah = 0.07*exp(-v/(20*mV))/ms : hertz
    betah = 1/(exp(3 - v/(10*mV)) + 1)/ms : hertz
    alphan = 0.1/exprel(1 - v/(10*mV))/ms : hertz
    betan = 0.125*exp(-v/(80*mV))/ms : hertz
    """)
    cells = SpatialNeuron(shape, equations, threshold="v > 40*mV", refractory="v > 40*mV", Cm=1 * uF / cm**2,
                          Ri=100 * ohm * cm, method="exponential_euler", namespace=CONSTANTS, **options)
    cells.m, cells.h, cells.n = 0.0529, 0.5961, 0.3177
    return cells


def branches(root):
    root.a = Section(diameter=[4, 3, 2, 1] * um, length=[30, 40, 50] * um, n=3)
    root.b = Cylinder(length=150 * um, diameter=1 * um, n=4)
    root.a.c = Cylinder(length=60 * um, diameter=0.8 * um, n=2)
    root.a.d = Cylinder(length=80 * um, diameter=0.6 * um, n=2)
    root.b.e = Cylinder(length=40 * um, diameter=0.7 * um, n=1)
    return root


def coupled(first, second, pairs):
    """A spike of one reaches the other through a conductance; a gap junction leads back."""
    kick = Synapses(first, second, on_pre="gs += 40*nS", delay=0.3 * ms)
    for i, j in pairs:
        kick.connect(i=i, j=j)
    gap = Synapses(second, first, "Igap_post = 0.5*nS*(v_pre - v_post) : amp (summed)")
    gap.connect(i=[1], j=[2])
    return [first, second, kick, gap]


def cable():
    """Branches without a soma; in the second neuron the current is not linear in the voltage."""
    first = neuron(branches(Cylinder(length=100 * um, diameter=4 * um, n=3)))
    first.gNa = "(60 + 5*i)*msiemens/cm**2"
    first.I[5] = 0.9 * nA
    curve = " + gl*DT*exp((v - VT)/DT)/(1 + exp((v - 2*VT)/DT))"
    second = neuron(branches(Cylinder(length=100 * um, diameter=4 * um, n=3)), curve)
    second.gNa = "(60 + distance/um/10)*msiemens/cm**2"
    objects = coupled(first, second, [(14, 8), (9, 3)])
    second.Cm[10:] = 2 * uF / cm**2
    second.I[2] = 0.1 * nA
    return objects, [("first", first), ("second", second)]


def soma():
    """Neurons with a spherical soma: one from sections, one from an SWC file; spikes at one place."""
    first = neuron(branches(Soma(diameter=20 * um)), threshold_location=9)
    first.gNa = "(60 + 5*i)*msiemens/cm**2"
    first.I[5] = 1.2 * nA
    second = neuron(Morphology.from_file("../../models/pyramidal.swc"))
    second.gNa = "(60 + distance/um/10)*msiemens/cm**2"
    return coupled(first, second, [(9, 3)]), [("first", first), ("second", second)]


for build in (cable, soma):
    objects, neurons = build()
    traces = [StateMonitor(n, ["v", "m"], record=True, when="end") for _, n in neurons]
    spikes = [SpikeMonitor(n) for _, n in neurons]
    Network(objects, traces, spikes).run(8 * ms)
    with open(f"{build.__name__}.states.txt", "w", encoding="utf-8") as file:
        file.write(f"# Brian {__version__}, numpy target, double precision, 8 ms; written by cable.py\n")
        for (name, _), monitor in zip(neurons, spikes):
            if len(monitor.t):
                steps = np.round(np.array(monitor.t / ms) / 0.1).astype(int)
                file.write(f"events {name}\n{' '.join(map(str, steps))}\n{' '.join(map(str, monitor.i))}\n")
                print(build.__name__, name, len(steps))
        for (name, _), monitor in zip(neurons, traces):
            for variable in ("v", "m"):
                file.write(f"trace {name}_{variable} {variable}\n")
                every = 1 if variable == "v" else 4
                for line in np.asarray(getattr(monitor, variable + "_"))[::every]:
                    file.write(" ".join(f"{value:.12g}" for value in line) + "\n")

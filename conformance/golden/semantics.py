"""States of small deterministic networks after every step, as Brian 2 computes them: one network per feature.

Run with Brian 2.9 and NumPy below 2.4: `python semantics.py`. Each network has its counterpart in NAME.toml beside this
file. NAME.states.txt holds what the monitors saw, in double precision: `events MONITOR` is followed by the steps, and by
the neurons, of its events; `trace MONITOR VARIABLE` by a line of values per element.
"""

import sys

import numpy as np
from brian2 import (
    EventMonitor, Hz, Network, NeuronGroup, PoissonInput, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, Synapses, TimedArray,
    __version__, defaultclock, linked_var, ms, prefs
)

# Where code depends on the order of synapses, the NumPy target does not always follow it.
ORDERED = "pathways"
defaultclock.dt = 0.1 * ms


# Brian orders objects of one slot by name: monitors come last.
def states(source, name, variables, record=True, when="end", dt=None):
    return StateMonitor(source, variables, record=record, when=when, dt=dt, name="z_" + name)


def events():
    """Events of a neuron's own, what they do to it, and pathways of both sides that they trigger."""
    cells = NeuronGroup(
        8,
        """
        dv/dt = (drive - v)/(7*ms) : 1
        dh/dt = -h/(11*ms) : 1
        drive : 1
        n : integer
        """,
        threshold="v > 1",
        reset="v = 0.1; h += 0.5",
        events={"up": "v > 0.6 and h < 0.8", "tired": "h > 0.9"},
        method="exact",
        name="cells",
    )
    cells.run_on_event("up", "n += 1; h += 0.05")
    cells.run_on_event("tired", "h = 0.2; drive *= 0.99; v -= 0.01")
    cells.drive = "1.2 + 0.1*i"
    cells.v = "0.1*i"
    loop = Synapses(
        cells,
        cells,
        "w : 1",
        on_pre={"pre": "v_post += w", "lifted": "h_post += 0.1*w*(1 + i)"},
        on_post={"post": "w *= 0.98", "spent": "w += 0.001*(1 + i); v_pre *= 0.97"},
        on_event={"pre": "spike", "lifted": "up", "post": "spike", "spent": "tired"},
        delay={"lifted": 0.7 * ms, "spent": 0.3 * ms},
        name="loop",
    )
    loop.connect("(i + 3*j) % 4 == 1")
    loop.w = "0.02*(1 + (i + j) % 3)"
    return [cells, loop], [
        SpikeMonitor(cells, name="z_cells"),
        EventMonitor(cells, "up", name="z_cells_up"),
        EventMonitor(cells, "tired", name="z_cells_tired"),
        states(cells, "state", ["v", "h", "drive", "n"]),
        states(loop, "weights", ["w"]),
    ]


def pathways():
    """Pathways in all orders, with delays of every kind, whose code reads and writes both ends and does not commute."""
    cells = NeuronGroup(
        6,
        """
        dx/dt = (0.31 + 0.07*i)/ms : 1
        u : 1
        y : 1
        """,
        threshold="x > 1",
        reset="x -= 1",
        method="euler",
        name="cells",
    )
    cells.x = "0.15*i"
    cells.u = "1 + i"
    cells.y = "10 - i"
    loop = Synapses(
        cells,
        cells,
        "w : 1\nq : 1",
        on_pre={
            "horner": "y_post = 0.5*y_post + w + 0.1*u_pre; u_pre *= 0.9",
            "exchange": "old = u_post; u_post = 0.5*(u_pre + u_post); u_pre = 0.9*old + q",
            "put": "y_post = w + 0.01*y_pre",
        },
        on_post={
            "learn": "w = 0.9*w + 0.01*y_post; q += 0.1*u_pre",
            "early": "q = 0.5*q - 0.1*w; u_post += 0.01*q",
        },
        delay={"horner": None, "put": 0.5 * ms},
        name="loop",
    )
    loop.connect("(2*i + j) % 3 != 1")
    loop.w = "0.1*i + 0.01*j"
    for name, order in [("horner", 3), ("exchange", -4), ("put", 0), ("learn", -7), ("early", 2)]:
        getattr(loop, name).order = order
    loop.horner.delay = "0.1*ms*((i*3 + j*5) % 7)"
    loop.learn.delay = "0.1*ms*((i + 2*j) % 4)"
    loop.early.delay = "0.4*ms"
    return [cells, loop], [
        SpikeMonitor(cells, name="z_cells"),
        states(cells, "state", ["x", "u", "y"]),
        states(loop, "weights", ["w", "q"]),
    ]


def gaps():
    """Gap junctions as summed variables, one of them of a state of the synapse that is advanced at every step."""
    cells = NeuronGroup(
        6,
        """
        dv/dt = (rest - v + gap + slow)/(10*ms) : 1
        rest : 1
        gap : 1
        slow : 1
        """,
        threshold="v > 1",
        reset="v = 0",
        method="exact",
        name="cells",
    )
    cells.rest = "1.5*(i % 2) + 0.1*i"
    cells.v = "0.2*i"
    junctions = Synapses(
        cells,
        cells,
        """
        g : 1
        gap_post = g*(v_pre - v_post) : 1 (summed)
        """,
        name="junctions",
    )
    junctions.connect("abs(i - j) == 1")
    junctions.g = "0.5 + 0.05*(i + j)"
    late = Synapses(
        cells,
        cells,
        """
        ds/dt = (v_pre - s)/(5*ms) : 1 (clock-driven)
        slow_post = 0.2*s - 0.1*v_post : 1 (summed)
        """,
        method="euler",
        name="late",
    )
    late.connect("(i + j) % 3 == 0")
    return [cells, junctions, late], [
        SpikeMonitor(cells, name="z_cells"),
        states(cells, "state", ["v", "gap", "slow"]),
        states(late, "slow", ["s"]),
    ]


def clocks():
    """Three clocks, spikes and sums between them, and monitors on clocks of their own."""
    equations = """
    dv/dt = (drive - v)/(5*ms) : 1
    drive : 1
    k : integer
    """
    fast = NeuronGroup(3, equations, threshold="v > 1", reset="v = 0; k += 1", method="euler", dt=0.1 * ms, name="fast")
    slow = NeuronGroup(
        3, equations + "load : 1", threshold="v > 1", reset="v = 0; k += 1", method="euler", dt=0.3 * ms, name="slow"
    )
    odd = NeuronGroup(2, equations, threshold="v > 1", reset="v = 0.2", method="euler", dt=0.25 * ms, name="zodd")
    fast.drive = "3 + i"
    slow.drive = "2.5 + i"
    odd.drive = "4 + i"
    up = Synapses(fast, slow, on_pre="v_post += 0.1", on_post="drive_pre *= 1.01", delay=0.4 * ms, name="up")
    up.connect()
    down = Synapses(slow, fast, on_pre="v_post -= 0.05*(1 + i)", name="vdown")
    down.connect("i != j")
    down.pre.delay = "(i + j)*0.3*ms"
    across = Synapses(odd, fast, on_pre="v_post = 0.5*v_post + 0.3", name="wacross")
    across.connect()
    loads = Synapses(fast, slow, "load_post = v_pre : 1 (summed)", dt=0.2 * ms, name="xloads")
    loads.connect()
    return [fast, slow, odd, up, down, across, loads], [
        SpikeMonitor(fast, name="z_fast"),
        SpikeMonitor(slow, name="z_slow"),
        SpikeMonitor(odd, name="z_odd"),
        states(fast, "of_fast", ["v", "drive", "k"]),
        states(slow, "of_slow", ["v", "load", "k"], dt=0.3 * ms),
        states(odd, "of_odd", ["v"], dt=0.25 * ms),
        states(fast, "seldom", ["v"], dt=0.7 * ms, when="start"),
        states(slow, "between", ["v"], dt=0.1 * ms, when="after_synapses"),
    ]


def timed():
    """Timed arrays of one and of two dimensions, read on two clocks, at boundaries and beyond the end."""
    namespace = dict(
        steps=TimedArray([1.0, -2.0, 3.0, 0.5, 7.0], dt=0.3 * ms),
        quarter=TimedArray([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], dt=0.25 * ms),
        plane=TimedArray([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0], [3.0, 30.0, 300.0]], dt=0.7 * ms),
        beats=TimedArray(np.array([0, 900, 0, 9000, 100]) * Hz, dt=1 * ms),
    )
    equations = """
    dx/dt = (steps(t) - x)/ms : 1
    a = steps(t) : 1
    b = quarter(t) : 1
    c = plane(t, i) : 1
    d = plane(t + 0.2*ms, (i + 1) % 3) : 1
    f = beats(t)*ms : 1
    """
    cells = NeuronGroup(3, equations, method="euler", namespace=namespace, name="cells")
    slow = NeuronGroup(3, equations, method="euler", namespace=namespace, dt=0.5 * ms, name="slow")
    return [cells, slow], [
        states(cells, "of_cells", ["x", "a", "b", "c", "d", "f"]),
        states(slow, "of_slow", ["x", "a", "b", "c", "d", "f"], dt=0.5 * ms),
    ]


def refractory():
    """A refractory time, one per neuron, one that changes, a condition; what stands still, what synapses may move."""
    common = """
    dg/dt = -g/(3*ms) : 1
    """
    fixed = NeuronGroup(
        3, "dv/dt = (1.6 + g - v)/(3*ms) : 1 (unless refractory)" + common,
        threshold="v > 1", reset="v = 0.1", refractory=1.5 * ms, method="euler", name="afixed",
    )
    own = NeuronGroup(
        3, """
        dv/dt = (1.7 + g - v)/(3*ms) : 1 (unless refractory)
        pause : second
        """ + common,
        threshold="v > 1", reset="v = 0; pause += 0.2*ms", refractory="pause", method="euler", name="bown",
    )
    own.pause = "0.25*ms*(i + 1)"
    high = NeuronGroup(
        3, "dv/dt = (3*int((t/ms) % 4 < 2) + g - v)/(1*ms) : 1" + common,
        threshold="v > 1", refractory="v > 0.5", method="euler", name="chigh",
    )
    seen = NeuronGroup(
        3, """
        dv/dt = (1.5 + g - v)/(2*ms) : 1
        free : 1
        since = (t - lastspike)/ms : 1
        """ + common,
        threshold="v > 1 + 0.1*int(t - lastspike < 4*ms)", reset="v = 0; free += int(not_refractory)",
        refractory="(0.5 + i)*ms", method="euler", name="dseen",
    )
    kicks = SpikeGeneratorGroup(3, np.arange(60) % 3, (0.2 + 0.3 * np.arange(60)) * ms, name="ekicks")
    objects = [fixed, own, high, seen, kicks]
    for k, group in enumerate([fixed, own, high, seen]):
        code = "v_post += 0.15; g_post += 0.05"
        if group is seen:
            code = "v_post += 0.1*int(not_refractory_post); g_post += 0.05; free_post += 0.01"
        synapses = Synapses(kicks, group, on_pre=code, name=f"f{k}")
        synapses.connect("i == j or i == 0")
        objects.append(synapses)
    return objects, [
        *(SpikeMonitor(group, name="z_" + name) for name, group in
          [("fixed", fixed), ("own", own), ("high", high), ("seen", seen)]),
        states(fixed, "of_fixed", ["v", "g", "not_refractory"]),
        states(own, "of_own", ["v", "pause", "not_refractory"]),
        states(high, "of_high", ["v", "not_refractory"]),
        states(seen, "of_seen", ["v", "free", "not_refractory", "since"]),
    ]


def slots():
    """What a monitor sees before, at and after every slot of a step."""
    cells = NeuronGroup(
        2, """
        dv/dt = 0.3/ms : 1
        s : 1
        n : 1
        """,
        threshold="v > 0.105", reset="v = 0; n += 1", events={"low": "v < 0.035"}, method="euler", name="cells",
    )
    cells.run_on_event("low", "n += 100")
    cells.v = "0.03*i"
    loop = Synapses(
        cells, cells, """
        c : 1
        s_post = v_pre + 1 : 1 (summed)
        """,
        on_pre="v_post += 0.01; n_post *= 1.5", on_post="c += 1; n_post += 10", name="loop",
    )
    loop.connect("i != j")
    places = [
        prefix + slot
        for slot in ["start", "groups", "thresholds", "synapses", "resets", "end"]
        for prefix in ["before_", "", "after_"]
    ]
    return [cells, loop], [states(cells, place, ["v", "s", "n"], when=place) for place in places] + [
        states(loop, "weights_" + place, ["c"], when=place) for place in ["before_synapses", "synapses", "resets"]
    ]


def views():
    """Parts of a group as source and target of spikes and of sums, and as what is monitored; parts of parts."""
    cells = NeuronGroup(
        10,
        """
        dv/dt = (1.1 + 0.05*i + total - v)/(4*ms) : 1
        total : 1
        """,
        threshold="v > 1",
        reset="v = 0",
        method="euler",
        name="cells",
    )
    cells.v = "0.09*i"
    cells.total = "0.01*i"
    low, high = cells[1:5], cells[4:9]
    inner = high[1:4]
    push = Synapses(low, high, "w : 1", on_pre="v_post += w", on_post="w += 0.001*(1 + i + 10*j)", name="push")
    push.connect("(i + j) % 2 == 0")
    push.w = "0.01*(i + 1) + 0.001*j"
    push.pre.delay = "0.1*ms*(i + j)"
    ring = Synapses(inner, inner, on_pre="v_post += 0.02*(1 + i - j)", name="ring")
    ring.connect("i == (j + 1) % N_post")
    # Brian computes a sum into a part of a group before the group is advanced only if its name comes first.
    sums = Synapses(high, low, "total_post = 0.1*v_pre*(j + 1) : 1 (summed)", name="asums")
    sums.connect("i >= j")
    return [cells, push, ring, sums], [
        SpikeMonitor(cells, name="z_cells"),
        SpikeMonitor(low, name="z_low"),
        SpikeMonitor(inner, name="z_inner"),
        states(cells, "state", ["v", "total"]),
        states(inner, "part", ["v"], record=[0, 2]),
        states(push, "weights", ["w"]),
    ]


def recurring():
    """Code that runs regularly, subexpressions that are constant over a step, and inputs all of whose sources are active."""
    cells = NeuronGroup(
        5,
        """
        dv/dt = (1.2 + 0.02*h - v)/(9*ms) : 1 (unless refractory)
        dz/dt = (h*z2 - z)/(5*ms) : 1
        h = 2*v + s : 1 (constant over dt)
        z2 = 0.5*h - twice : 1
        twice = 2*s : 1 (shared)
        s : 1 (shared)
        x : 1
        """,
        threshold="v > 1",
        reset="v = 0; x += 1",
        refractory=1.3 * ms,
        method="rk4",
        name="cells",
    )
    cells.v = "0.19*i"
    cells.run_regularly("s += 0.1; a = s*2; x = t/ms + a*(1 + i); v += 0.01*i", dt=0.3 * ms)
    cells.run_regularly("x = 0.5*x + dt/ms", when="after_thresholds", order=2)
    inputs = [
        PoissonInput(cells, "v", N=7, rate=10000 * Hz, weight=0.0003),
        PoissonInput(cells[1:3], "x", N=3, rate=10000 * Hz, weight="0.01*(1 + i)", when="resets", order=-1),
    ]
    loop = Synapses(
        cells,
        cells,
        """
        w : 1
        g = w*v_post + 0.1*N_incoming : 1 (constant over dt)
        n : integer
        """,
        on_pre="x_post += g",
        name="loop",
    )
    loop.connect("i >= j")
    loop.w = "0.1*(1 + i + 2*j)/N_outgoing"
    loop.run_regularly("w = 0.95*w + 0.01*x_pre; n = N_incoming + 10*N_outgoing + 100*N", dt=0.5 * ms)
    loop.run_regularly("v_post += 0.001*w", dt=0.7 * ms, when="before_groups")
    return [cells, loop, *inputs], [
        SpikeMonitor(cells, name="z_cells"),
        states(cells, "state", ["v", "z", "h", "x"]),
        states(cells, "before", ["v", "h", "x"], when="start"),
        states(loop, "weights", ["w", "g", "n"]),
    ]


def linked():
    """Variables linked one to one, through an index, to a shared variable, to an expression and to the group itself."""
    slow = NeuronGroup(
        3,
        """
        dc/dt = (drive - c)/(6*ms) : 1
        y = 2*c + 0.1*i + total : 1
        drive : 1
        total : 1 (shared)
        """,
        method="euler",
        name="aslow",
    )
    slow.drive = "1 + i"
    slow.run_regularly("total += 0.01")
    cells = NeuronGroup(
        6,
        """
        dv/dt = (0.4 + c + 0.1*next - v)/(7*ms) : 1
        c : 1 (linked)
        y : 1 (linked)
        total : 1 (linked)
        next : 1 (linked)
        u : 1
        """,
        threshold="v > 1",
        reset="v = 0.1*y; u += total",
        method="euler",
        name="cells",
    )
    cells.v = "0.15*i"
    cells.c = linked_var(slow, "c", index=np.array([0, 0, 1, 1, 2, 2]))
    cells.y = linked_var(slow, "y", index=np.array([2, 1, 0, 2, 1, 0]))
    cells.total = linked_var(slow, "total")
    cells.next = linked_var(cells, "v", index=np.array([1, 2, 3, 4, 5, 0]))
    cells.run_regularly("v = 0.9*v + 0.1*next", dt=0.4 * ms)
    same = NeuronGroup(3, "c : 1 (linked)\nd : 1", name="same")
    same.c = linked_var(slow, "c")
    same.run_regularly("d = 0.5*d + c", when="end")
    loop = Synapses(cells, cells, on_pre="u_post += 0.1*v_pre", name="loop")
    loop.connect("i != j and (i + j) % 2 == 0")
    return [slow, cells, same, loop], [
        SpikeMonitor(cells, name="z_cells"),
        states(slow, "source", ["c", "y"]),
        states(cells, "state", ["v", "c", "y", "next", "u"]),
        states(same, "same", ["d"]),
    ]


def tripartite():
    """Projections that start and end at the synapses of another one: sums, events, numbers of the neurons of a synapse."""
    source = SpikeGeneratorGroup(3, [0, 1, 2, 0, 1, 2, 0, 2, 1], [0.3, 0.3, 0.7, 1.2, 2, 3.1, 3.9, 4.4, 6] * ms, name="source")
    cells = NeuronGroup(2, "dv/dt = -v/(20*ms) : 1", method="exact", name="cells")
    synapses = Synapses(
        source,
        cells,
        """
        dx/dt = -x/(5*ms) : 1 (clock-driven)
        gain : 1
        w : 1
        """,
        on_pre="x += 1; v_post += w*(1 - gain)",
        method="exact",
        name="synapses",
    )
    synapses.connect("i != 2*j")
    synapses.w = "1 + i + 10*j"
    glia = NeuronGroup(
        2,
        """
        dc/dt = (drive - c)/(3*ms) : 1
        drive : 1
        """,
        threshold="c > 0.6",
        reset="c = 0.1",
        method="euler",
        name="glia",
    )
    gather = Synapses(synapses, glia, "drive_post = x_pre*(1 + 0.1*i_pre + 0.01*j_pre) : 1 (summed)", name="gather")
    gather.connect("j == j_pre")
    relay = Synapses(
        glia,
        synapses,
        "gain_post = 0.5*c_pre : 1 (summed)",
        on_pre="w_post += 0.25*(1 + i_post)",
        delay=0.3 * ms,
        name="relay",
    )
    relay.connect("i == j_post")
    return [source, cells, synapses, glia, gather, relay], [
        SpikeMonitor(glia, name="z_glia"),
        states(cells, "voltage", ["v"]),
        states(synapses, "each", ["x", "gain", "w"]),
        states(glia, "state", ["c", "drive"]),
    ]


def wang_buzsaki():
    """Exponential Euler where a channel's activation is a function of the potential in its own equation."""
    cells = NeuronGroup(
        3,
        """
        dv/dt = (-35*m**3*h*(v - 55) - 9*n**4*(v + 90) - 0.1*(v + 65) + drive)/ms : 1
        m = alpha_m/(alpha_m + beta_m) : 1
        alpha_m = 1/exprel(-(v + 35)/10) : 1
        beta_m = 4*exp(-(v + 60)/18) : 1
        dh/dt = 5*(alpha_h*(1 - h) - beta_h*h)/ms : 1
        alpha_h = 0.07*exp(-(v + 58)/20) : 1
        beta_h = 1/(exp(-0.1*(v + 28)) + 1) : 1
        dn/dt = 5*(alpha_n*(1 - n) - beta_n*n)/ms : 1
        alpha_n = 0.1/exprel(-(v + 34)/10) : 1
        beta_n = 0.125*exp(-(v + 44)/80) : 1
        drive : 1
        """,
        threshold="v > -20",
        refractory="v > -40",
        method="exponential_euler",
        name="cells",
    )
    cells.v = "-60 + 3*i"
    cells.h = 0.6
    cells.n = 0.3
    cells.drive = "1 + i"
    return [cells], [SpikeMonitor(cells, name="z_cells"), states(cells, "state", ["v", "h", "n"])]


def several():
    """Several runs: variables, parameters and delays change in between, objects are switched off and on."""
    source = SpikeGeneratorGroup(
        3, [k % 3 for k in range(24)], [(0.15 + 0.3 * k) * ms for k in range(24)], name="source"
    )
    cells = NeuronGroup(
        5,
        """
        dv/dt = (drive - v)/(4*ms) : 1 (unless refractory)
        drive : 1 (constant)
        """,
        threshold="v > 1",
        reset="v = 0.05*i",
        refractory=0.4 * ms,
        method="exact",
        name="cells",
    )
    cells.drive = "1.1 + 0.1*i"
    drive = Synapses(source, cells, "w : 1", on_pre="v_post += w", name="drive")
    drive.connect("(i + j) % 2 == 0")
    drive.w = "0.02*(1 + i + j)"
    drive.delay = "0.1*ms*(2 + i + 2*j)"
    loop = Synapses(cells, cells, on_pre="v_post -= 0.01*(1 + i)", name="loop")
    loop.connect("i != j")
    monitors = [SpikeMonitor(cells, name="z_cells"), states(cells, "state", ["v", "drive"]), states(drive, "weights", ["w"])]

    def change(network):
        network.run(2 * ms)
        cells[1:4].drive = "drive + 0.2*i"
        cells.v = "0.5*v"
        drive.delay = 0.9 * ms
        network.run(1.5 * ms)
        drive.delay = "0.1*ms*(1 + j)"
        drive.w = "1.5*w + 0.001*i"
        loop.active = False
        network.run(1.7 * ms)
        loop.active = True
        cells.active = False
        network.run(0.8 * ms)
        cells.active = True
        network.run(2 * ms)

    return [source, cells, drive, loop], monitors, change


def write(build):
    prefs.codegen.target = "cython" if build.__name__ == ORDERED else "numpy"
    defaultclock.dt = 0.1 * ms if build is not wang_buzsaki else 0.05 * ms
    objects, monitors, *change = build()
    duration = 1 if build is slots else 8
    network = Network(objects, monitors)
    if change:
        change[0](network)
    else:
        network.run(duration * ms)
    with open(f"{build.__name__}.states.txt", "w", encoding="utf-8") as file:
        target = prefs.codegen.target
        file.write(f"# Brian {__version__}, {target} target, double precision, {duration} ms; semantics.py\n")
        for monitor in monitors:
            if isinstance(monitor, EventMonitor):
                steps = np.round(np.array(monitor.t / ms) / float(monitor.source.clock.dt / ms)).astype(int)
                file.write(f"events {monitor.name[2:]}\n{' '.join(map(str, steps))}\n")
                # Neurons are counted within the whole group.
                neurons = np.array(monitor.i) + getattr(monitor.source, "start", 0)
                file.write(f"{' '.join(map(str, neurons))}\n")
                print(build.__name__, monitor.name[2:], len(steps))
                continue
            for variable in monitor.record_variables:
                values = np.asarray(getattr(monitor, variable + "_")).astype(float)
                file.write(f"trace {monitor.name[2:]} {variable}\n")
                for line in values:
                    file.write(" ".join(f"{value:.12g}" for value in line) + "\n")


for build in (events, pathways, gaps, clocks, timed, refractory, slots, views, recurring, linked, tripartite, several, wang_buzsaki):
    if len(sys.argv) < 2 or build.__name__ in sys.argv[1:]:
        write(build)

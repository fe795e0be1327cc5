"""Pair-based STDP between Poisson inputs and integrate-and-fire neurons, as `models/stdp.toml`."""

import standalone


def build(order):
    import brian2 as b
    from brian2 import Hz, ms, mV

    gmax = order.value("gmax", 0.01)
    a_pre = 0.01 * gmax
    namespace = {
        "taum": 10 * ms, "taue": 5 * ms, "Ee": 0 * mV, "Vt": -54 * mV, "Vr": -60 * mV, "El": -74 * mV,
        "taupre": 20 * ms, "taupost": 20 * ms, "gmax": gmax, "A_pre": a_pre, "A_post": -a_pre * 1.05,
    }  # fmt: skip
    inputs = b.PoissonGroup(order.value("n_inputs", 1000), rates=15 * Hz, name="inputs")
    equations = """
    dv/dt = (ge*(Ee - v) + El - v)/taum : volt
    dge/dt = -ge/taue : 1
    """
    cells = b.NeuronGroup(
        order.value("n_cells", 1), equations, threshold="v > Vt", reset="v = Vr", method="exponential_euler",
        namespace=namespace, name="cells",
    )  # fmt: skip
    cells.v = -60 * mV
    synapses = b.Synapses(
        inputs,
        cells,
        """
        w : 1
        dApre/dt = -Apre/taupre : 1 (event-driven)
        dApost/dt = -Apost/taupost : 1 (event-driven)
        """,
        on_pre="""
        ge += w
        Apre += A_pre
        w = clip(w + Apost, 0, gmax)
        """,
        on_post="""
        Apost += A_post
        w = clip(w + Apre, 0, gmax)
        """,
        namespace=namespace,
        name="synapses",
    )
    synapses.connect()
    synapses.w = "rand()*gmax"
    return [inputs, cells, synapses], cells, [synapses]


standalone.measure(build)

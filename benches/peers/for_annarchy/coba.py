"""COBA with its constant drive, as `models/coba.toml`. Conductances are in nS, the capacitance in pF."""

import generated


def build(order, network):
    import ANNarchy as ann
    from balanced import connect

    lif = ann.Neuron(
        parameters="""
        C = 200.0 : population
        gl = 10.0 : population
        El = -60.0 : population
        Vr = -60.0 : population
        Vt = -50.0 : population
        Ee = 0.0 : population
        Ei = -80.0 : population
        taue = 5.0 : population
        taui = 10.0 : population
        drive = 20.0 : population
        """,
        equations="""
        C*dv/dt = gl*(El - v + drive) + g_exc*(Ee - v) + g_inh*(Ei - v) : exponential
        taue*dg_exc/dt = -g_exc : exponential
        taui*dg_inh/dt = -g_inh : exponential
        """,
        spike="v > Vt",
        reset="v = Vr",
        refractory=5.0,
    )
    cells = network.create(order.value("n_neurons", 4000), lif)
    cells.v = ann.Normal(-55.0, 5.0)
    cells.g_exc = ann.Normal(40.0, 15.0)
    cells.g_inh = ann.Normal(200.0, 120.0)
    projections = connect(order, network, cells, 6.0, 67.0)
    return cells, cells.size, projections


generated.measure(build)

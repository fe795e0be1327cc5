"""CUBA, as `models/cuba.toml`."""

import generated


def build(order, network):
    import ANNarchy as ann
    from balanced import connect

    lif = ann.Neuron(
        parameters="""
        El = -49.0 : population
        Vr = -60.0 : population
        Vt = -50.0 : population
        taum = 20.0 : population
        taue = 5.0 : population
        taui = 10.0 : population
        """,
        equations="""
        taum*dv/dt = El - v + g_exc + g_inh : exponential
        taue*dg_exc/dt = -g_exc : exponential
        taui*dg_inh/dt = -g_inh : exponential
        """,
        spike="v > Vt",
        reset="v = Vr",
        refractory=5.0,
    )
    cells = network.create(order.value("n_neurons", 4000), lif)
    cells.v = ann.Uniform(-60.0, -50.0)
    projections = connect(order, network, cells, 60 * 0.27 / 10, -20 * 4.5 / 10)
    return cells, cells.size, projections


generated.measure(build)

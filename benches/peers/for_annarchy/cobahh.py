"""COBAHH, as `models/cobahh.toml`. Conductances are in nS, the capacitance in pF. Names that begin with `g_` stand for
what synapses add to.

A spike is counted where the potential rises above -20 mV: a refractory period would hold the potential.
"""

import generated


def build(order, network):
    import ANNarchy as ann
    from balanced import connect

    hh = ann.Neuron(
        parameters="""
        Cm = 200.0 : population
        gl = 10.0 : population
        gna = 20000.0 : population
        gkd = 6000.0 : population
        El = -60.0 : population
        EK = -90.0 : population
        ENa = 50.0 : population
        VT = -63.0 : population
        taue = 5.0 : population
        taui = 10.0 : population
        Ee = 0.0 : population
        Ei = -80.0 : population
        """,
        equations="""
        was = v
        u = v - VT
        alpha_m = 0.32*(13.0 - u)/(exp((13.0 - u)/4.0) - 1.0)
        beta_m = 0.28*(u - 40.0)/(exp((u - 40.0)/5.0) - 1.0)
        alpha_h = 0.128*exp((17.0 - u)/18.0)
        beta_h = 4.0/(1.0 + exp((40.0 - u)/5.0))
        alpha_n = 0.032*(15.0 - u)/(exp((15.0 - u)/5.0) - 1.0)
        beta_n = 0.5*exp((10.0 - u)/40.0)
        Cm*dv/dt = gl*(El - v) + g_exc*(Ee - v) + g_inh*(Ei - v) - gna*m*m*m*h*(v - ENa) - gkd*n*n*n*n*(v - EK) : exponential
        dm/dt = alpha_m*(1.0 - m) - beta_m*m : exponential
        dn/dt = alpha_n*(1.0 - n) - beta_n*n : exponential
        dh/dt = alpha_h*(1.0 - h) - beta_h*h : exponential
        taue*dg_exc/dt = -g_exc : exponential
        taui*dg_inh/dt = -g_inh : exponential
        """,
        spike="(v > -20.0) and (was <= -20.0)",
        reset="was = v",
    )
    cells = network.create(order.value("n_neurons", 4000), hh)
    cells.v = ann.Normal(-65.0, 5.0)
    cells.g_exc = ann.Normal(40.0, 15.0)
    cells.g_inh = ann.Normal(200.0, 120.0)
    projections = connect(order, network, cells, 6.0, 67.0)
    return cells, cells.size, projections


generated.measure(build)

"""COBAHH, as `models/cobahh.toml`."""

import standalone


def build(order):
    import brian2 as b
    from balanced import connected
    from brian2 import cm, ms, mV, msiemens, nS, siemens, ufarad, um

    area = 20000 * um**2
    namespace = {
        "Cm": 1 * ufarad / cm**2 * area, "gl": 5e-5 * siemens / cm**2 * area,
        "g_na": 100 * msiemens / cm**2 * area, "g_kd": 30 * msiemens / cm**2 * area,
        "El": -60 * mV, "EK": -90 * mV, "ENa": 50 * mV, "VT": -63 * mV, "taue": 5 * ms, "taui": 10 * ms,
        "Ee": 0 * mV, "Ei": -80 * mV, "we": 6 * nS, "wi": 67 * nS,
    }  # fmt: skip
    equations = """
    dv/dt = (gl*(El - v) + ge*(Ee - v) + gi*(Ei - v)
             - g_na*m**3*h*(v - ENa) - g_kd*n**4*(v - EK))/Cm : volt
    dm/dt = alpha_m*(1 - m) - beta_m*m : 1
    dn/dt = alpha_n*(1 - n) - beta_n*n : 1
    dh/dt = alpha_h*(1 - h) - beta_h*h : 1
    dge/dt = -ge/taue : siemens
    dgi/dt = -gi/taui : siemens
    u = v - VT : volt
    alpha_m = 0.32*4/exprel((13*mV - u)/(4*mV))/ms : Hz
    beta_m  = 0.28*5/exprel((u - 40*mV)/(5*mV))/ms : Hz
    alpha_h = 0.128*exp((17*mV - u)/(18*mV))/ms : Hz
    beta_h  = 4/(1 + exp((40*mV - u)/(5*mV)))/ms : Hz
    alpha_n = 0.032*5/exprel((15*mV - u)/(5*mV))/ms : Hz
    beta_n  = 0.5*exp((10*mV - u)/(40*mV))/ms : Hz
    """
    cells = b.NeuronGroup(
        order.value("n_neurons", 4000), equations, threshold="v > -20*mV", refractory=3 * ms,
        method="exponential_euler", namespace=namespace, name="cells",
    )  # fmt: skip
    cells.v = "El + (5*randn() - 5)*mV"
    cells.ge = "(1.5*randn() + 4)*10*nS"
    cells.gi = "(12*randn() + 20)*10*nS"
    synapses = connected(order, cells)
    for group in synapses:
        group.namespace.update(namespace)
    return [cells, *synapses], cells, synapses


standalone.measure(build)

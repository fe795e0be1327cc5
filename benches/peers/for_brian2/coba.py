"""COBA with its constant drive, as `models/coba.toml`."""

import standalone


def build(order):
    import brian2 as b
    from balanced import connected
    from brian2 import ms, mV, nS, pF

    namespace = {
        "C": 200 * pF, "gl": 10 * nS, "El": -60 * mV, "Vt": -50 * mV, "Vr": -60 * mV, "Ee": 0 * mV, "Ei": -80 * mV,
        "taue": 5 * ms, "taui": 10 * ms, "we": 6 * nS, "wi": 67 * nS, "drive": 20 * mV,
    }  # fmt: skip
    equations = """
    dv/dt = (gl*(El - v + drive) + ge*(Ee - v) + gi*(Ei - v))/C : volt (unless refractory)
    dge/dt = -ge/taue : siemens
    dgi/dt = -gi/taui : siemens
    """
    cells = b.NeuronGroup(
        order.value("n_neurons", 4000), equations, threshold="v > Vt", reset="v = Vr", refractory=5 * ms,
        method="exponential_euler", namespace=namespace, name="cells",
    )  # fmt: skip
    cells.v = "-55*mV + 5*mV*randn()"
    cells.ge = "(1.5*randn() + 4)*10*nS"
    cells.gi = "(12*randn() + 20)*10*nS"
    synapses = connected(order, cells)
    for group in synapses:
        group.namespace.update(namespace)
    return [cells, *synapses], cells, synapses


standalone.measure(build)

"""CUBA, as `models/cuba.toml`."""

import standalone


def build(order):
    import brian2 as b
    from balanced import connected
    from brian2 import ms, mV

    namespace = {
        "taum": 20 * ms, "taue": 5 * ms, "taui": 10 * ms, "Vt": -50 * mV, "Vr": -60 * mV, "El": -49 * mV,
        "we": 60 * 0.27 / 10 * mV, "wi": -20 * 4.5 / 10 * mV,
    }  # fmt: skip
    equations = """
    dv/dt  = (ge + gi - (v - El))/taum : volt (unless refractory)
    dge/dt = -ge/taue : volt
    dgi/dt = -gi/taui : volt
    """
    cells = b.NeuronGroup(
        order.value("n_neurons", 4000), equations, threshold="v > Vt", reset="v = Vr", refractory=5 * ms,
        method="exact", namespace=namespace, name="cells",
    )  # fmt: skip
    cells.v = "Vr + rand()*(Vt - Vr)"
    synapses = connected(order, cells)
    for group in synapses:
        group.namespace.update(namespace)
    return [cells, *synapses], cells, synapses


standalone.measure(build)

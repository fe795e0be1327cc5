"""Brunel's network, as `models/brunel.toml`.

The external input is Brian's `PoissonInput`, a binomial number of events per step instead of a Poisson number. Synapses
are drawn with probability 0.1 instead of a fixed number for each neuron.
"""

import standalone


def build(order):
    import brian2 as b
    from brian2 import ms, mV

    n_inh = order.value("order", 2500)
    n_exc = 4 * n_inh
    epsilon = 0.1
    c_exc = int(epsilon * n_exc)
    weight, tau, theta = order.value("J_mV", 0.1) * mV, 20 * ms, 20 * mV
    rate = order.value("eta", 2) * theta / (weight * c_exc * tau)
    namespace = {"tau": tau, "theta": theta, "Vr": 10 * mV, "J": weight, "g": order.value("g", 5)}
    cells = b.NeuronGroup(
        n_exc + n_inh, "dv/dt = -v/tau : volt (unless refractory)", threshold="v > theta", reset="v = Vr",
        refractory=2 * ms, method="exact", namespace=namespace, name="cells",
    )  # fmt: skip
    cells.v = "rand()*theta"
    external = b.PoissonInput(cells, "v", N=c_exc, rate=rate, weight=weight)
    exc = b.Synapses(cells[:n_exc], cells, on_pre="v += J", delay=1.5 * ms, namespace=namespace, name="exc")
    exc.connect(p=epsilon)
    inh = b.Synapses(cells[n_exc:], cells, on_pre="v -= g*J", delay=1.5 * ms, namespace=namespace, name="inh")
    inh.connect(p=epsilon)
    return [cells, external, exc, inh], cells, [exc, inh]


standalone.measure(build)

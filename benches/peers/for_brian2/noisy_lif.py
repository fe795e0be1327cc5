"""Integrate-and-fire neurons under white noise, as the population `cells` of `models/noisy_lif.toml`."""

import standalone


def build(order):
    import brian2 as b
    from brian2 import ms, mV

    namespace = {"tau": 20 * ms, "mu": -55 * mV, "sigma": 5 * mV, "Vt": -50 * mV, "Vr": -60 * mV}
    cells = b.NeuronGroup(
        order.value("n_spiking", 1000),
        "dv/dt = (mu - v)/tau + sigma*sqrt(2/tau)*xi : volt (unless refractory)",
        threshold="v > Vt", reset="v = Vr", refractory=5 * ms, method="euler", namespace=namespace, name="cells",
    )  # fmt: skip
    cells.v = "Vr + rand()*(Vt - Vr)"
    return [cells], cells, []


standalone.measure(build)

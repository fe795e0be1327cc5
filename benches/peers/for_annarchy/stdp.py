"""Pair-based STDP between Poisson inputs and integrate-and-fire neurons, as `models/stdp.toml`."""

import generated


def build(order, network):
    import ANNarchy as ann

    gmax = order.value("gmax", 0.01)
    lif = ann.Neuron(
        parameters="""
        taum = 10.0 : population
        taue = 5.0 : population
        Ee = 0.0 : population
        Vt = -54.0 : population
        Vr = -60.0 : population
        El = -74.0 : population
        """,
        equations="""
        taum*dv/dt = g_exc*(Ee - v) + El - v : exponential
        taue*dg_exc/dt = -g_exc : exponential
        """,
        spike="v > Vt",
        reset="v = Vr",
    )
    plastic = ann.Synapse(
        parameters=f"""
        taupre = 20.0 : projection
        taupost = 20.0 : projection
        gmax = {gmax} : projection
        A_pre = {0.01 * gmax} : projection
        A_post = {-0.01 * gmax * 1.05} : projection
        """,
        equations="""
        taupre*dApre/dt = -Apre : event-driven
        taupost*dApost/dt = -Apost : event-driven
        """,
        pre_spike="""
        g_target += w
        Apre += A_pre
        w = clip(w + Apost, 0.0, gmax)
        """,
        post_spike="""
        Apost += A_post
        w = clip(w + Apre, 0.0, gmax)
        """,
    )
    inputs = network.create(ann.PoissonPopulation(order.value("n_inputs", 1000), rates=15.0))
    cells = network.create(order.value("n_cells", 1), lif)
    cells.v = -60.0
    projection = network.connect(pre=inputs, post=cells, target="exc", synapse=plastic)
    projection.all_to_all(weights=ann.Uniform(0.0, gmax))
    return cells, inputs.size + cells.size, [projection]


generated.measure(build)

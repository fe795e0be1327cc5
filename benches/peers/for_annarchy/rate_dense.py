"""A ring of rate-coded neurons that are all connected, as `models/rate_ring.toml`; the matrix is dense."""

import generated


def build(order, network):
    import ANNarchy as ann
    import numpy as np

    n = order.value("n_neurons", 256)
    rate = ann.Neuron(
        parameters="""
        tau = 10.0 : population
        I0 = 1.0 : population
        I1 = 2.0 : population
        cue_on = 100.0 : population
        cue_off = 300.0 : population
        theta = 0.0
        """,
        equations="""
        cued = if (t >= cue_on) and (t < cue_off): I1*cos(theta - 1.5707963267948966) else: 0.0
        tau*dr/dt + r = pos(I0 + cued + sum(ring))
        """,
    )
    cells = network.create(n, rate)
    theta = 2 * np.pi * np.arange(n) / n
    cells.theta = theta
    cells.r = ann.Uniform(0.0, 0.1)
    weights = (-7.3 + 11.0 * np.cos(theta[:, None] - theta[None, :])) / n
    projection = network.connect(pre=cells, post=cells, target="ring")
    projection.from_matrix(weights, storage_format="dense")
    return cells, n, [projection]


generated.measure(build)

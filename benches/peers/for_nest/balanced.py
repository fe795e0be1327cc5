"""What the balanced networks COBA, CUBA and COBAHH share: who is connected with whom."""

import nest


def connect(order, cells, weight_exc, weight_inh):
    """Synapses of four fifths of the neurons and of the others, `in_degree` for each on average, delay of one step."""
    n = len(cells)
    n_exc = 4 * n // 5
    rule = {"rule": "pairwise_bernoulli", "p": order.value("in_degree", 80) / n}
    delay = order.dt_s * 1e3
    nest.Connect(cells[:n_exc], cells, rule, {"weight": weight_exc, "delay": delay})
    nest.Connect(cells[n_exc:], cells, rule, {"weight": weight_inh, "delay": delay})

"""What the balanced networks COBA, CUBA and COBAHH share: who is connected with whom."""


def connect(order, network, cells, weight_exc, weight_inh):
    """Synapses of four fifths of the neurons onto `g_exc`, of the others onto `g_inh`, `in_degree` for each on average."""
    n = cells.size
    n_exc = 4 * n // 5
    p = order.value("in_degree", 80) / n
    projections = []
    for sources, target, weight in [(cells[:n_exc], "exc", weight_exc), (cells[n_exc:], "inh", weight_inh)]:
        projection = network.connect(pre=sources, post=cells, target=target)
        # A population has no synapse of a neuron with itself unless that is said.
        projection.fixed_probability(probability=p, weights=weight, allow_self_connections=True)
        projections.append(projection)
    return projections

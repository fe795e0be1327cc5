"""What the balanced networks COBA, CUBA and COBAHH share: who is connected with whom."""

import brian2 as b


def connected(order, cells):
    """Synapses of four fifths of the neurons onto `ge`, of the others onto `gi`, `in_degree` for each on average."""
    n = len(cells)
    n_exc = 4 * n // 5
    p = order.value("in_degree", 80) / n
    exc = b.Synapses(cells[:n_exc], cells, on_pre="ge += we", name="exc")
    exc.connect(p=p)
    inh = b.Synapses(cells[n_exc:], cells, on_pre="gi += wi", name="inh")
    inh.connect(p=p)
    return [exc, inh]

"""Brunel's network, as `models/brunel.toml`."""

import kernel


def build(order):
    import nest

    n_inh = order.value("order", 2500)
    n_exc = 4 * n_inh
    c_exc, c_inh = n_exc // 10, n_inh // 10
    weight, tau, theta = order.value("J_mV", 0.1), 20.0, 20.0
    rate_hz = order.value("eta", 2) * theta / (weight * c_exc * tau) * 1e3
    cells = nest.Create(
        "iaf_psc_delta",
        n_exc + n_inh,
        {"C_m": 1.0, "tau_m": tau, "t_ref": 2.0, "E_L": 0.0, "V_th": theta, "V_reset": 10.0, "I_e": 0.0,
         "V_m": nest.random.uniform(0.0, theta)},
    )  # fmt: skip
    external = nest.Create("poisson_generator", 1, {"rate": c_exc * rate_hz})
    nest.Connect(external, cells, "all_to_all", {"weight": weight, "delay": 1.5})
    for sources, n, w in [(cells[:n_exc], c_exc, weight), (cells[n_exc:], c_inh, -order.value("g", 5) * weight)]:
        nest.Connect(sources, cells, {"rule": "fixed_indegree", "indegree": n}, {"weight": w, "delay": 1.5})
    return cells, len(cells), None


kernel.measure(build)

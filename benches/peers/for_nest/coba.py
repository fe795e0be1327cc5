"""COBA with its constant drive, as `models/coba.toml`. NEST integrates it with adaptive Runge-Kutta-Fehlberg steps."""

import kernel


def build(order):
    import nest
    from balanced import connect

    cells = nest.Create(
        "iaf_cond_exp",
        order.value("n_neurons", 4000),
        {"C_m": 200.0, "g_L": 10.0, "E_L": -60.0, "V_th": -50.0, "V_reset": -60.0, "E_ex": 0.0, "E_in": -80.0,
         "tau_syn_ex": 5.0, "tau_syn_in": 10.0, "t_ref": 5.0, "I_e": 10.0 * 20.0,
         "V_m": nest.random.normal(-55.0, 5.0), "g_ex": nest.random.normal(40.0, 15.0),
         "g_in": nest.random.normal(200.0, 120.0)},
    )  # fmt: skip
    connect(order, cells, 6.0, -67.0)
    return cells, len(cells), None


kernel.measure(build)

// A controller in C holds the firing rate of a population: host functions count spikes in every step, and turn the
// drive up or down every 10 ms.
//
// Compile: cc closed_loop.c $(pkg-config --cflags --libs neuropil)

#include <neuropil.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const MODEL = "dt = '0.1 ms'\n"
                                 "seed = 3\n"
                                 "[neuron.lif]\n"
                                 "equations = '''\n"
                                 "dv/dt = (drive - v)/(20*ms) + 0.1*xi/sqrt(ms) : 1 (unless refractory)\n"
                                 "drive : 1 (shared)\n"
                                 "'''\n"
                                 "threshold = 'v > 1'\n"
                                 "reset = 'v = 0'\n"
                                 "refractory = '2 ms'\n"
                                 "method = 'euler'\n"
                                 "[population.cells]\n"
                                 "neuron = 'lif'\n"
                                 "size = 200\n"
                                 "[host.count]\n"
                                 "when = 'end'\n"
                                 "[host.control]\n"
                                 "when = 'end'\n"
                                 "every = '10 ms'\n";

static const double WANTED = 30.0; // hertz

struct controller {
  size_t spikes; // since the last decision
  double rate;   // at the last decision, in hertz
};

static npl_status count(npl_host *host, void *data) {
  struct controller *controller = data;
  const uint32_t *neurons;
  size_t spikes;
  npl_status status = npl_host_events(host, "cells", "spike", &neurons, &spikes, NULL);
  if (status == NPL_OK) {
    controller->spikes += spikes;
  }
  return status;
}

static npl_status control(npl_host *host, void *data) {
  struct controller *controller = data;
  npl_edit drive;
  npl_status status = npl_host_write(host, "cells.drive", &drive, NULL);
  if (status != NPL_OK) {
    return status;
  }
  controller->rate = (double)controller->spikes / 200 / 10e-3;
  controller->spikes = 0;
  // Shared by all cells: one value, changed where it is.
  *(double *)drive.data += 0.001 * (WANTED - controller->rate);
  return NPL_OK;
}

static bool progress(const npl_progress *so_far, void *data) {
  (void)data;
  fprintf(stderr, "%3.0f %%\n", 100.0 * (double)so_far->done / (double)so_far->total);
  return true;
}

static void check(npl_status status, npl_error *error) {
  if (status != NPL_OK) {
    fprintf(stderr, "%s\n", npl_error_message(error));
    npl_error_free(error);
    exit(1);
  }
}

int main(void) {
  npl_error *error;
  npl_model *model;
  npl_simulation *simulation;
  struct controller controller = {0, 0.0};
  check(npl_model_parse("closed_loop", MODEL, &model, &error), error);
  check(npl_simulate(model, NULL, &simulation, &error), error);
  check(npl_bind(simulation, "count", count, &controller, NULL, &error), error);
  check(npl_bind(simulation, "control", control, &controller, NULL, &error), error);
  check(npl_run_steps(simulation, 20000, progress, NULL, NULL, &error), error);

  double drive;
  check(npl_get(simulation, "cells.drive", &drive, 1, &error), error);
  npl_spike_count cells;
  npl_count_spikes(simulation, 0, &cells);
  printf("drive %.3f, mean rate %.1f Hz, at last %.1f Hz\n", drive, cells.rate, controller.rate);
  npl_simulation_free(simulation);
  npl_model_free(model);
  return controller.rate > 10 && controller.rate < 60 ? 0 : 1;
}

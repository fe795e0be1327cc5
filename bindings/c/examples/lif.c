// A leaky integrate-and-fire neuron, put together by calls, and its spikes.
//
// Compile: cc lif.c $(pkg-config --cflags --libs neuropil)

#include <neuropil.h>
#include <stdio.h>
#include <stdlib.h>

// Ends the program if a call failed.
static void check(npl_status status, npl_error *error) {
  if (status != NPL_OK) {
    fprintf(stderr, "%s\n", npl_error_message(error));
    npl_error_free(error);
    exit(1);
  }
}

int main(void) {
  npl_error *error;
  npl_builder *net;
  check(npl_builder_new("lif", &net, &error), error);

  // Fields of a model file, each by its path.
  const char *fields[][2] = {
      {"dt", "0.1 ms"},
      {"neuron.lif.equations", "dv/dt = (I - v)/(20*ms) : volt\nI : volt (constant)"},
      {"neuron.lif.threshold", "v > 10*mV"},
      {"neuron.lif.reset", "v = 0*mV"},
      {"population.cells.neuron", "lif"},
      {"population.cells.initial.I", "15*mV + i*mV"},
      {"record.spikes", "all"},
  };
  for (size_t k = 0; k < sizeof fields / sizeof fields[0]; k++) {
    check(npl_builder_set_text(net, fields[k][0], fields[k][1], &error), error);
  }
  check(npl_builder_set_integer(net, "population.cells.size", 3, &error), error);

  npl_model *model;
  check(npl_builder_model(net, &model, &error), error);
  npl_builder_free(net);

  npl_simulation *simulation;
  check(npl_simulate(model, NULL, &simulation, &error), error);
  npl_model_free(model);
  check(npl_run(simulation, 1.0, &error), error);

  npl_spikes spikes;
  check(npl_recorded_spikes(simulation, "cells", &spikes, &error), error);
  int counts[3] = {0, 0, 0};
  for (size_t k = 0; k < spikes.count; k++) {
    counts[spikes.neurons[k]]++;
  }
  printf("%zu spikes in %g s; the first at %g ms\n", spikes.count, npl_time(simulation),
         1e3 * (double)spikes.steps[0] * spikes.dt);
  npl_simulation_free(simulation);

  // A leaky integrator reaches the threshold after tau*ln(I/(I - theta)): here 22.0, 19.7 and 17.8 ms, in whole steps.
  int expected[3] = {45, 50, 56};
  for (int i = 0; i < 3; i++) {
    printf("neuron %d: %d spikes\n", i, counts[i]);
    if (counts[i] != expected[i]) {
      fprintf(stderr, "neuron %d should spike %d times\n", i, expected[i]);
      return 1;
    }
  }
  return 0;
}

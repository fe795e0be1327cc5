// What every function of the interface does when it is used well.

#include "test.h"

static const char *const DECAY = "dt = '0.1 ms'\n"
                                 "[neuron.leaky]\n"
                                 "equations = '''\n"
                                 "dv/dt = -v/(10*ms) : volt\n"
                                 "k : integer\n"
                                 "'''\n"
                                 "threshold = 'v > 2.5*mV'\n"
                                 "reset = 'v = 0*mV'\n"
                                 "[population.cells]\n"
                                 "neuron = 'leaky'\n"
                                 "size = 3\n"
                                 "initial.v = '(i + 1)*mV'\n"
                                 "initial.k = 'i'\n"
                                 "[synapse.kick]\n"
                                 "equations = 'w : volt'\n"
                                 "on_pre = 'v_post += w'\n"
                                 "[projection.chain]\n"
                                 "synapse = 'kick'\n"
                                 "source = 'cells'\n"
                                 "target = 'cells'\n"
                                 "connect = { rule = 'pairs', pairs = [[2, 0], [0, 1]] }\n"
                                 "weight = '1 mV'\n"
                                 "delay = '1 ms'\n"
                                 "[record]\n"
                                 "spikes = 'all'\n"
                                 "rates = 'all'\n"
                                 "[record.state.trace]\n"
                                 "of = 'cells'\n"
                                 "variables = ['v']\n";

static void versions(void) {
  EXPECT(npl_abi_version() == NPL_ABI_VERSION);
  EXPECT(strchr(npl_version(), '.') != NULL);
}

static void variables(void) {
  npl_simulation *simulation = simulate(DECAY);
  npl_size size;
  OK(npl_simulation_size(simulation, &size, &error));
  EXPECT(size.neurons == 3 && size.synapses == 2 && size.bytes > 0);

  bool has_v = false;
  for (size_t k = 0; k < npl_variable_count(simulation); k++) {
    has_v = has_v || strcmp(npl_variable_name(simulation, k), "cells.v") == 0;
  }
  EXPECT(has_v);
  EXPECT(npl_variable_name(simulation, npl_variable_count(simulation)) == NULL);

  npl_view view;
  OK(npl_read(simulation, "cells.v", &view, &error));
  EXPECT(view.kind == NPL_F64 && view.length == 3 && ((const double *)view.data)[2] == 3e-3);
  OK(npl_read(simulation, "cells.k", &view, &error));
  EXPECT(view.kind == NPL_I32 && ((const int32_t *)view.data)[2] == 2);

  npl_edit edit;
  OK(npl_write(simulation, "cells.v", &edit, &error));
  EXPECT(edit.kind == NPL_F64 && edit.length == 3);
  ((double *)edit.data)[1] = 1e-4;
  double v[3];
  OK(npl_get(simulation, "cells.v", v, 3, &error));
  EXPECT(v[0] == 1e-3 && v[1] == 1e-4 && v[2] == 3e-3);
  OK(npl_set(simulation, "cells.v", (const double[]){0.5e-3}, 1, &error));
  OK(npl_get(simulation, "cells.v", v, 3, &error));
  EXPECT(v[0] == 0.5e-3 && v[2] == 0.5e-3);

  npl_synapses synapses;
  OK(npl_synapses_of(simulation, "chain", &synapses, &error));
  EXPECT(synapses.count == 2 && synapses.pre[0] == 0 && synapses.post[0] == 1 && synapses.pre[1] == 2);
  npl_simulation_free(simulation);
}

static void recordings(void) {
  npl_simulation *simulation = simulate(DECAY);
  EXPECT(npl_dt(simulation) == 1e-4 && npl_time(simulation) == 0.0);
  OK(npl_step(simulation, &error));
  EXPECT(npl_steps(simulation) == 1);
  OK(npl_run(simulation, 2.9e-3, &error));
  EXPECT(npl_steps(simulation) == 30);

  // Neuron 2 begins above the threshold and spikes in the first step; 1 ms later neuron 0 gets 1 mV.
  npl_spikes spikes;
  OK(npl_recorded_spikes(simulation, "cells", &spikes, &error));
  EXPECT(spikes.count == 1 && spikes.steps[0] == 0 && spikes.neurons[0] == 2 && spikes.dt == 1e-4);
  npl_trace trace;
  OK(npl_recorded_trace(simulation, "trace", "v", &trace, &error));
  EXPECT(trace.rows == 30 && trace.columns == 3 && trace.values.length == 90 && trace.dt == 1e-4);
  EXPECT(trace.steps[29] == 29 && trace.elements[2] == 2 && strcmp(trace.unit, "") != 0);
  const double *v = trace.values.data;
  EXPECT(v[0] == 1e-3 && v[2] == 3e-3 && v[3 * 11] - v[3 * 10] > 0.9e-3);
  npl_rate rate;
  OK(npl_recorded_rate(simulation, "cells", &rate, &error));
  EXPECT(rate.count == 30 && rate.times[1] == 1e-4 && rate.rates[0] > 3333.3 && rate.rates[1] == 0.0);

  EXPECT(npl_population_count(simulation) == 1);
  npl_spike_count count;
  EXPECT(npl_count_spikes(simulation, 0, &count) && !npl_count_spikes(simulation, 1, &count));
  EXPECT(strcmp(count.population, "cells") == 0 && count.neurons == 3 && count.spikes == 1);
  char digest[17];
  OK(npl_spike_digest(simulation, digest, sizeof digest, &error));
  EXPECT(strlen(digest) == 16);
  npl_simulation_free(simulation);
}

static void states(void) {
  npl_simulation *simulation = simulate(DECAY);
  OK(npl_run(simulation, 1e-3, &error));
  npl_snapshot *snapshot = NULL;
  OK(npl_store(simulation, &snapshot, &error));
  double before[3], after[3];
  OK(npl_get(simulation, "cells.v", before, 3, &error));
  OK(npl_run(simulation, 2e-3, &error));
  OK(npl_restore(simulation, snapshot, true, &error));
  OK(npl_get(simulation, "cells.v", after, 3, &error));
  EXPECT(memcmp(before, after, sizeof before) == 0 && npl_steps(simulation) == 10);
  npl_trace trace;
  OK(npl_recorded_trace(simulation, "trace", "v", &trace, &error));
  EXPECT(trace.rows == 10);
  npl_snapshot_free(snapshot);
  OK(npl_proceed(simulation, "[[run]]\nset.cells.v = '7*mV'\n", &error));
  OK(npl_get(simulation, "cells.v", after, 3, &error));
  EXPECT(after[1] == 7e-3);
  npl_simulation_free(simulation);
}

static bool never(const npl_progress *progress, void *data) {
  *(uint64_t *)data = progress->total;
  return false;
}

static void runs(void) {
  npl_simulation *simulation = simulate(DECAY);
  npl_outcome outcome;
  uint64_t total = 0;
  OK(npl_run_steps(simulation, UINT64_C(1000000000), never, &total, &outcome, &error));
  EXPECT(outcome == NPL_STOPPED && total == UINT64_C(1000000000));
  OK(npl_run_steps(simulation, 10, NULL, NULL, &outcome, &error));
  EXPECT(outcome == NPL_FINISHED);
  OK(npl_run_steps(simulation, 10, NULL, NULL, NULL, &error));
  npl_simulation_free(simulation);
}

static void models(void) {
  npl_builder *builder = NULL;
  npl_model *model = NULL;
  npl_text *text = NULL;
  OK(npl_builder_new("built", &builder, &error));
  OK(npl_builder_set_text(builder, "neuron.n.equations", "dv/dt = -v/tau : 1", &error));
  OK(npl_builder_set_text(builder, "neuron.n.threshold", "v > 100", &error));
  OK(npl_builder_set_text(builder, "constants.tau", "10 ms", &error));
  OK(npl_builder_set_text(builder, "population.p.neuron", "n", &error));
  OK(npl_builder_set_integer(builder, "population.p.size", 4, &error));
  OK(npl_builder_set_number(builder, "population.p.initial.v", 2.5, &error));
  OK(npl_builder_set_text(builder, "synapse.s.on_pre", "v_post += 1", &error));
  OK(npl_builder_set_text(builder, "input.in.kind", "spikes", &error));
  OK(npl_builder_set_integer(builder, "input.in.size", 2, &error));
  OK(npl_builder_set_integers(builder, "input.in.indices", (const int64_t[]){0, 1}, 2, &error));
  OK(npl_builder_set_numbers(builder, "input.in.times", (const double[]){1.0, 2.0}, 2, &error));
  OK(npl_builder_set_text(builder, "input.in.unit", "ms", &error));
  OK(npl_builder_set_text(builder, "projection.c.synapse", "s", &error));
  OK(npl_builder_set_text(builder, "projection.c.source", "in", &error));
  OK(npl_builder_set_text(builder, "projection.c.target", "p", &error));
  OK(npl_builder_set_text(builder, "projection.c.connect.rule", "pairs", &error));
  OK(npl_builder_set_pairs(builder, "projection.c.connect.pairs", (const uint32_t[]){0, 1}, (const uint32_t[]){0, 0}, 2,
                           &error));
  OK(npl_builder_set_text(builder, "projection.d.synapse", "s", &error));
  OK(npl_builder_set_text(builder, "projection.d.source", "p", &error));
  OK(npl_builder_set_text(builder, "projection.d.target", "p", &error));
  OK(npl_builder_set_text(builder, "projection.d.connect.rule", "all_to_all", &error));
  OK(npl_builder_set_flag(builder, "projection.d.connect.self_connections", false, &error));
  OK(npl_builder_set_texts(builder, "record.spikes", (const char *const[]){"in"}, 1, &error));
  OK(npl_builder_set_text(builder, "run.0.duration", "1.5 ms", &error));
  OK(npl_builder_set_text(builder, "run.1.duration", "1.5 ms", &error));
  OK(npl_builder_model(builder, &model, &error));
  npl_builder_free(builder);

  OK(npl_model_check(model, &error));
  OK(npl_model_set(model, "tau=20ms", &error));
  OK(npl_model_set_seed(model, 5, &error));
  OK(npl_model_set_precision(model, "f32", &error));
  OK(npl_model_emit(model, "source", &text, &error));
  EXPECT(strstr(npl_text_get(text), "20") != NULL);
  npl_text_free(text);

  npl_options *options = NULL;
  OK(npl_options_new(&options, &error));
  OK(npl_options_set_threads(options, 1, &error));
  OK(npl_options_set_backend(options, "interp", &error));
  OK(npl_options_set_kernels(options, "block", &error));
  npl_simulation *simulation = NULL;
  OK(npl_simulate(model, options, &simulation, &error));
  npl_options_free(options);
  npl_model_free(model);
  OK(npl_perform(simulation, NULL, NULL, NULL, &error));
  EXPECT(npl_steps(simulation) == 30);
  npl_spikes spikes;
  OK(npl_recorded_spikes(simulation, "in", &spikes, &error));
  EXPECT(spikes.count == 2 && spikes.steps[1] == 20);
  npl_view view;
  OK(npl_read(simulation, "p.v", &view, &error));
  EXPECT(view.kind == NPL_F32 && ((const float *)view.data)[0] > 3.5f);
  npl_simulation_free(simulation);
}

int main(void) {
  versions();
  variables();
  recordings();
  states();
  runs();
  models();
  puts("interface: all is well");
  return 0;
}

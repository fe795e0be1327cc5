// What the interface answers when it is used badly: always an error, never a crash.

#include "test.h"

static const char *const HOSTED = "[neuron.n]\n"
                                  "equations = 'v : 1'\n"
                                  "[population.p]\n"
                                  "neuron = 'n'\n"
                                  "size = 2\n"
                                  "[host.call]\n";

static void wrong_models(void) {
  npl_model *model = NULL;
  npl_error *error = NULL;
  EXPECT(npl_model_read("no/such/file.toml", &model, &error) == NPL_MODEL && model == NULL);
  EXPECT(npl_error_count(error) == 1);
  npl_error_free(error);

  OK(npl_model_parse("wrong.toml", "[neuron.n]\nequations = 'dv/dt = -u/ms : 1'\n[population.p]\nneuron = 'm'\nsize = 1\n",
                     &model, &error));
  npl_simulation *simulation = NULL;
  EXPECT(npl_simulate(model, NULL, &simulation, &error) == NPL_MODEL && simulation == NULL);
  EXPECT(npl_error_count(error) == 2 && strstr(npl_error_message(error), "wrong.toml:2") != NULL);
  npl_diagnostic first;
  EXPECT(npl_error_diagnostic(error, 0, &first));
  EXPECT(first.severity == NPL_ERROR && strcmp(first.code, "unknown-name") == 0);
  EXPECT(strcmp(first.file, "wrong.toml") == 0 && first.line == 2 && first.column == 23);
  EXPECT(first.end == first.start + 1);
  EXPECT(!npl_error_diagnostic(error, 2, &first));
  npl_error_free(error);
  EXPECT(npl_model_check(model, NULL) == NPL_MODEL);
  FAILS(NPL_MODEL, "no_such", npl_model_set(model, "no_such=1", &error));
  FAILS(NPL_ARGUMENT, "`f16` is no precision", npl_model_set_precision(model, "f16", &error));
  npl_text *text = NULL;
  FAILS(NPL_ARGUMENT, "source, ast", npl_model_emit(model, "asm", &text, &error));
  npl_model_free(model);
}

static void wrong_handles(void) {
  npl_model *model = NULL;
  npl_simulation *simulation = NULL;
  npl_builder *builder = NULL;
  FAILS(NPL_HANDLE, "`path` is null", npl_model_read(NULL, &model, &error));
  FAILS(NPL_HANDLE, "`model` is null", npl_model_parse("x", "", NULL, &error));
  FAILS(NPL_HANDLE, "`model` is null", npl_simulate(NULL, NULL, &simulation, &error));
  FAILS(NPL_HANDLE, "`simulation` is null", npl_run(NULL, 1.0, &error));
  EXPECT(npl_run(NULL, 1.0, NULL) == NPL_HANDLE);
  FAILS(NPL_ARGUMENT, "not UTF-8", npl_model_parse("x", "\xff", &model, &error));

  OK(npl_builder_new("b", &builder, &error));
  FAILS(NPL_HANDLE, "`model` is not an `npl_model`", npl_simulate((npl_model *)builder, NULL, &simulation, &error));
  FAILS(NPL_ARGUMENT, "no path", npl_builder_set_flag(builder, "", true, &error));
  FAILS(NPL_HANDLE, "`numbers` is null", npl_builder_set_numbers(builder, "x", NULL, 1, &error));
  npl_model_free((npl_model *)builder); // left alone
  npl_builder_free(builder);

  npl_builder_free(NULL);
  npl_error_free(NULL);
  npl_model_free(NULL);
  npl_options_free(NULL);
  npl_simulation_free(NULL);
  npl_snapshot_free(NULL);
  npl_text_free(NULL);
  EXPECT(npl_error_message(NULL)[0] == 0 && npl_error_count(NULL) == 0 && npl_error_status(NULL) == NPL_OK);
  EXPECT(npl_text_get(NULL)[0] == 0 && npl_steps(NULL) == 0 && npl_variable_name(NULL, 0) == NULL);
  double time = npl_time(NULL);
  EXPECT(time != time);
}

static npl_status meddle(npl_host *host, void *data) {
  npl_simulation *simulation = data;
  double values[2];
  FAILS(NPL_BUSY, "in the middle", npl_run(simulation, 1.0, &error));
  FAILS(NPL_BUSY, "in the middle", npl_get(simulation, "p.v", values, 2, &error));
  npl_simulation_free(simulation); // left alone
  FAILS(NPL_ARGUMENT, "`p.w`", npl_host_get(host, "p.w", values, 2, &error));
  FAILS(NPL_ARGUMENT, "2", npl_host_get(host, "p.v", values, 1, &error));
  OK(npl_host_set(host, "p.v", (const double[]){(double)npl_host_step(host) + 1.0, 0.0}, 2, &error));
  if (npl_host_step(host) == 3) {
    npl_host_fail(host, "the third step is one too many");
    return NPL_HOST;
  }
  return NPL_OK;
}

static int released = 0;

static void release(void *data) {
  (void)data;
  released++;
}

static npl_status stop(npl_host *host, void *data) {
  (void)data;
  npl_host_stop(host);
  return NPL_OK;
}

static void wrong_hosts(void) {
  npl_simulation *simulation = simulate(HOSTED);
  FAILS(NPL_ARGUMENT, "`call`", npl_step(simulation, &error)); // nothing is bound yet
  FAILS(NPL_ARGUMENT, "`cal`", npl_bind(simulation, "cal", meddle, NULL, release, &error));
  FAILS(NPL_HANDLE, "`function` is null", npl_bind(simulation, "call", NULL, NULL, release, &error));
  EXPECT(released == 2);
  OK(npl_bind(simulation, "call", meddle, simulation, release, &error));
  FAILS(NPL_HOST, "one too many", npl_run_steps(simulation, 10, NULL, NULL, NULL, &error));
  EXPECT(npl_steps(simulation) == 3);
  double v[2];
  OK(npl_get(simulation, "p.v", v, 2, &error));
  EXPECT(v[0] == 4.0);
  OK(npl_bind(simulation, "call", stop, NULL, release, &error));
  EXPECT(released == 3);
  npl_outcome outcome;
  OK(npl_run_steps(simulation, 10, NULL, NULL, &outcome, &error));
  EXPECT(outcome == NPL_STOPPED);
  npl_simulation_free(simulation);
  EXPECT(released == 4);
}

static void wrong_arguments(void) {
  npl_simulation *simulation = simulate("[neuron.n]\nequations = 'dv/dt = v*v/ms : 1'\nmethod = 'euler'\n"
                                        "[population.p]\nneuron = 'n'\nsize = 2\ninitial.v = '1'\n");
  npl_spikes spikes;
  double values[2] = {1.0, 2.0};
  FAILS(NPL_ARGUMENT, "-1", npl_run(simulation, -1.0, &error));
  FAILS(NPL_ARGUMENT, "`p.w`", npl_get(simulation, "p.w", values, 2, &error));
  FAILS(NPL_ARGUMENT, "2", npl_set(simulation, "p.v", values, 0, &error));
  FAILS(NPL_HANDLE, "`values` is null", npl_get(simulation, "p.v", NULL, 2, &error));
  FAILS(NPL_ARGUMENT, "`p`", npl_recorded_spikes(simulation, "p", &spikes, &error));
  char digest[8];
  FAILS(NPL_ARGUMENT, "room for 8 bytes", npl_spike_digest(simulation, digest, sizeof digest, &error));
  FAILS(NPL_IO, "no/such", npl_checkpoint(simulation, "no/such/folder/file", &error));
  FAILS(NPL_MODEL, "", npl_proceed(simulation, "[[run]]\nset.p.w = '1'\n", &error));
  FAILS(NPL_NON_FINITE, "`p.v`", npl_run(simulation, 1.0, &error));
  npl_simulation_free(simulation);

  npl_options *options = NULL;
  OK(npl_options_new(&options, &error));
  FAILS(NPL_ARGUMENT, "`gpu` is no backend", npl_options_set_backend(options, "gpu", &error));
  FAILS(NPL_ARGUMENT, "`jit` names no kernels", npl_options_set_kernels(options, "jit", &error));
  npl_options_free(options);
}

int main(void) {
  wrong_models();
  wrong_handles();
  wrong_hosts();
  wrong_arguments();
  puts("misuse: all is well");
  return 0;
}

// Neuropil: a simulator for spiking and rate-coded neural networks that are described by equations.
//
// A model is text (docs/language.md). It is read, or put together by calls, then built into a simulation, which runs
// and gives and takes variables by their names:
//
//     npl_error *error;
//     npl_model *model;
//     npl_simulation *simulation;
//     if (npl_model_read("cuba.toml", &model, &error) != NPL_OK) { puts(npl_error_message(error)); exit(2); }
//     npl_simulate(model, NULL, &simulation, &error);
//     npl_run(simulation, 1.0, &error);
//     npl_simulation_free(simulation);
//     npl_model_free(model);
//
// Errors. A function that can fail returns an npl_status, NPL_OK or not, and takes as its last argument the address of
// a pointer for the error, or NULL. That pointer becomes NULL if all went well, and else an error to be freed with
// npl_error_free. What a function gives back is written only if it returns NPL_OK. Nothing unwinds or throws across this
// interface.
//
// Handles. npl_model, npl_simulation and so on are opaque; each is freed by the function that bears its name, exactly
// once, and not used after that. NULL instead of a handle, or a handle of another kind, is answered with NPL_HANDLE.
// Handles may be used by any thread, but not by two at a time; a simulation that is in use answers NPL_BUSY.
//
// Pointers into a simulation (views of variables, recordings) are valid for as long as the function says that gives
// them.
//
// Texts are UTF-8 and end with a zero byte. Times are in seconds and values in SI base units.
//
// This file is generated from the crate in bindings/c; a test compares the two.


#ifndef NEUROPIL_H
#define NEUROPIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The number of this interface. It grows whenever a program that was compiled with the header of another number
// might not work.
#define NPL_ABI_VERSION 1

// How a call ended. `NPL_OK` is 0; everything else is an error.
typedef enum npl_status {
  // It did what it says.
  NPL_OK = 0,
  // The model is wrong; `npl_error_diagnostic` gives every mistake with its place.
  NPL_MODEL = 1,
  // The network does not fit into memory.
  NPL_MEMORY = 2,
  // The network could not be built for another reason.
  NPL_BUILD = 3,
  // A variable became infinite or not a number.
  NPL_NON_FINITE = 4,
  // A name, a length, a time or a choice that does not fit.
  NPL_ARGUMENT = 5,
  // A host function failed.
  NPL_HOST = 6,
  // A file, a recording or a device failed.
  NPL_IO = 7,
  // A pointer that must not be null was null, or a handle was not one of the kind that is asked for.
  NPL_HANDLE = 8,
  // The simulation is in the middle of a call: of another thread, or of the run that calls this function.
  NPL_BUSY = 9,
  // A mistake in Neuropil itself. Please report it. The handles of this call should only be freed.
  NPL_INTERNAL = 10,
} npl_status;

// Whether something is an error or a warning.
typedef enum npl_severity {
  // The model cannot be used.
  NPL_ERROR = 0,
  // The model can be used, but something in it may not mean what was meant.
  NPL_WARNING = 1,
} npl_severity;

// The type of the elements of a variable.
typedef enum npl_type {
  // `bool`, one byte, 0 or 1.
  NPL_BOOL = 0,
  // `int32_t`.
  NPL_I32 = 1,
  // `int64_t`.
  NPL_I64 = 2,
  // `float`.
  NPL_F32 = 3,
  // `double`.
  NPL_F64 = 4,
} npl_type;

// How a run ended.
typedef enum npl_outcome {
  // It ran for as long as it was asked to.
  NPL_FINISHED = 0,
  // The progress function, or a host function, stopped it.
  NPL_STOPPED = 1,
  // The condition of the model held that ends it.
  NPL_CONDITION = 2,
} npl_outcome;

// A model that is being put together.
//
// Every field of a model file has a path, its tables and its name joined by dots: `population.cells.size`. The
// functions `npl_builder_set_*` set such a field; tables come into being on the way. A number in a path is a place in
// a list of tables, counted from 0: `run.0.duration`. What is asked for is checked when the model is made.
typedef struct npl_builder npl_builder;

// What went wrong, or, from `npl_model_check`, what is to be said about a model.
typedef struct npl_error npl_error;

// The network in the middle of a step, as a host function sees it. It is valid until the function returns.
typedef struct npl_host npl_host;

// A model as it was typed.
typedef struct npl_model npl_model;

// How a network is built and run. Without options: on the CPU with all cores, recordings in memory.
typedef struct npl_options npl_options;

// A network in a machine.
//
// One call at a time: a call that meets another one, in another thread or around the host function that makes it,
// returns `NPL_BUSY`. Different simulations are independent.
typedef struct npl_simulation npl_simulation;

// The state of a simulation at one moment.
typedef struct npl_snapshot npl_snapshot;

// A text that the program owns, such as a stage of a model.
typedef struct npl_text npl_text;

// One thing that is to be said about a model, and where. The texts live as long as the error they were taken from.
typedef struct npl_diagnostic {
  // Error or warning.
  enum npl_severity severity;
  // A stable code such as `unit-mismatch`; docs/diagnostics.md explains it.
  const char *code;
  // What is wrong.
  const char *message;
  // What to write instead, one suggestion per line; may be empty.
  const char *help;
  // The file, or the name that was given to the text; empty if the diagnostic is about no place.
  const char *file;
  // The line of the place, counted from 1; 0 if there is none.
  size_t line;
  // The column of the place in characters, counted from 1; 0 if there is none.
  size_t column;
  // The first byte of the place, counted from 0.
  size_t start;
  // The byte behind the place.
  size_t end;
} npl_diagnostic;

// A host function. Anything but `NPL_OK` ends the run, with `NPL_HOST` and the text of `npl_host_fail`, and leaves
// the step where it was. It must not throw, nor leave by longjmp, and works with `host` alone: functions that take
// the simulation return `NPL_BUSY`.
typedef enum npl_status (*npl_host_function)(struct npl_host *host,
                                             void *data);

// Frees what was given to a host function as `data`.
typedef void (*npl_release_function)(void *data);

// The values of a variable where they are, in SI base units.
typedef struct npl_view {
  // The first element.
  const void *data;
  // How many elements there are: one per neuron or synapse, or one if all share it.
  size_t length;
  // Their type.
  enum npl_type kind;
} npl_view;

// The values of a variable where they are, in SI base units, to be changed.
typedef struct npl_edit {
  // The first element.
  void *data;
  // How many elements there are: one per neuron or synapse, or one if all share it.
  size_t length;
  // Their type.
  enum npl_type kind;
} npl_edit;

// Recorded spikes, in the order in which they came. Valid until the next call with the simulation that runs it.
typedef struct npl_spikes {
  // The step of each spike; its time is step times `dt`.
  const int64_t *steps;
  // The neuron of each spike.
  const uint32_t *neurons;
  // How many there are.
  size_t count;
  // Seconds per step.
  double dt;
} npl_spikes;

// A recorded variable: a table with a row for each time and a column for each recorded element. Valid until the next call
// with the simulation that runs it or asks for a recording.
typedef struct npl_trace {
  // The step of each row; its time is step times `dt`.
  const int64_t *steps;
  // The element, neuron or synapse, of each column.
  const uint32_t *elements;
  // All values, row after row.
  struct npl_view values;
  // How many rows there are.
  size_t rows;
  // How many columns there are.
  size_t columns;
  // Seconds per step.
  double dt;
  // The unit of the values, in SI base units.
  const char *unit;
} npl_trace;

// A recorded rate. Valid until the next call with the simulation.
typedef struct npl_rate {
  // Times in seconds.
  const double *times;
  // Rates in hertz.
  const double *rates;
  // How many there are.
  size_t count;
} npl_rate;

// The spikes of a population so far, recorded or not.
typedef struct npl_spike_count {
  // The name of the population, which lives as long as the simulation.
  const char *population;
  // Its neurons.
  uint32_t neurons;
  // Spikes so far.
  uint64_t spikes;
  // Mean rate per neuron in hertz; 0 before the first step.
  double rate;
} npl_spike_count;

// The synapses of a projection, in the order in which their variables stand. Valid until the next call with the
// simulation.
typedef struct npl_synapses {
  // The presynaptic neuron of each, within the source of the projection.
  const uint32_t *pre;
  // The postsynaptic neuron of each, within the target of the projection.
  const uint32_t *post;
  // How many there are.
  size_t count;
} npl_synapses;

// How far a run has come.
typedef struct npl_progress {
  // Steps of the network's clock done in this run.
  uint64_t done;
  // Steps that this run asked for.
  uint64_t total;
  // The network's time in seconds.
  double time;
} npl_progress;

// Is told about twenty times a second how far a run has come; the run goes on while it returns true. It must not
// throw, nor leave by longjmp.
typedef bool (*npl_progress_function)(const struct npl_progress *progress,
                                      void *data);

// Sizes of a network.
typedef struct npl_size {
  // Neurons, those of inputs included.
  uint64_t neurons;
  // Synapses.
  uint64_t synapses;
  // About how much memory variables and synapses take, in bytes.
  uint64_t bytes;
} npl_size;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// An empty model; `name` stands for its file in messages. Free it with `npl_builder_free`.
enum npl_status npl_builder_new(const char *name,
                                struct npl_builder **builder,
                                struct npl_error **error);

// Sets a field to a text: a quantity with its unit, an expression, equations, code, or a name.
enum npl_status npl_builder_set_text(struct npl_builder *builder,
                                     const char *path,
                                     const char *text,
                                     struct npl_error **error);

// Sets a field to a number without unit.
enum npl_status npl_builder_set_number(struct npl_builder *builder,
                                       const char *path,
                                       double number,
                                       struct npl_error **error);

// Sets a field to a whole number.
enum npl_status npl_builder_set_integer(struct npl_builder *builder,
                                        const char *path,
                                        int64_t integer,
                                        struct npl_error **error);

// Sets a field to true or false.
enum npl_status npl_builder_set_flag(struct npl_builder *builder,
                                     const char *path,
                                     bool flag,
                                     struct npl_error **error);

// Sets a field to a list of numbers, `length` of them, which are copied.
enum npl_status npl_builder_set_numbers(struct npl_builder *builder,
                                        const char *path,
                                        const double *numbers,
                                        size_t length,
                                        struct npl_error **error);

// Sets a field to a list of whole numbers, `length` of them, which are copied.
enum npl_status npl_builder_set_integers(struct npl_builder *builder,
                                         const char *path,
                                         const int64_t *integers,
                                         size_t length,
                                         struct npl_error **error);

// Sets a field to a list of pairs, `length` of them, which are copied: pre and post neurons for
// `projection.NAME.connect.pairs`.
enum npl_status npl_builder_set_pairs(struct npl_builder *builder,
                                      const char *path,
                                      const uint32_t *pre,
                                      const uint32_t *post,
                                      size_t length,
                                      struct npl_error **error);

// Sets a field to a list of texts, `length` of them, which are copied.
enum npl_status npl_builder_set_texts(struct npl_builder *builder,
                                      const char *path,
                                      const char *const *texts,
                                      size_t length,
                                      struct npl_error **error);

// The model as it is described so far. Diagnostics show its fields as lines of a model file.
//
// `*model` becomes a new model, to be freed with `npl_model_free`; the builder can go on being used.
enum npl_status npl_builder_model(const struct npl_builder *builder,
                                  struct npl_model **model,
                                  struct npl_error **error);

// Frees a builder; null is fine.
void npl_builder_free(struct npl_builder *builder);

// How the call ended that gave this error; `NPL_OK` for null and for a report that holds warnings only.
enum npl_status npl_error_status(const struct npl_error *error);

// All of it as text for people, with the lines of the model and carets; it may have several lines. Empty for null.
// The text lives as long as the error.
const char *npl_error_message(const struct npl_error *error);

// How many diagnostics it holds: mistakes in a model. Other errors hold none.
size_t npl_error_count(const struct npl_error *error);

// Diagnostic `number`, counted from 0. False, and nothing is written, if there is none.
bool npl_error_diagnostic(const struct npl_error *error,
                          size_t number,
                          struct npl_diagnostic *diagnostic);

// Frees an error; null is fine.
void npl_error_free(struct npl_error *error);

// Says what a host operation of the model (`[host.NAME]`) calls, in its place of each of its steps.
//
// `function` is called with `data` by the thread that runs the simulation. `release`, if not null, is called with
// `data` when it is no longer needed, also if this call fails.
enum npl_status npl_bind(struct npl_simulation *simulation,
                         const char *name,
                         npl_host_function function,
                         void *data,
                         npl_release_function release,
                         struct npl_error **error);

// The time of the step in seconds. Not a number if `host` is null.
double npl_host_time(struct npl_host *host);

// The step of the operation's clock; 0 if `host` is null.
uint64_t npl_host_step(struct npl_host *host);

// As `npl_read`; the values are valid until the next call with the same `host`, or the function returns.
enum npl_status npl_host_read(struct npl_host *host,
                              const char *variable,
                              struct npl_view *view,
                              struct npl_error **error);

// As `npl_write`; the values are valid until the next call with the same `host`, or the function returns.
enum npl_status npl_host_write(struct npl_host *host,
                               const char *variable,
                               struct npl_edit *edit,
                               struct npl_error **error);

// As `npl_get`.
enum npl_status npl_host_get(struct npl_host *host,
                             const char *variable,
                             double *values,
                             size_t length,
                             struct npl_error **error);

// As `npl_set`.
enum npl_status npl_host_set(struct npl_host *host,
                             const char *variable,
                             const double *values,
                             size_t length,
                             struct npl_error **error);

// The neurons of a population or input that emitted an event, such as `spike`, when it last could: `*count` of them from
// `*neurons` on, ascending. They are valid until the next call with the same `host`, or the function returns.
enum npl_status npl_host_events(struct npl_host *host,
                                const char *population,
                                const char *event,
                                const uint32_t **neurons,
                                size_t *count,
                                struct npl_error **error);

// Ends the run once this step is complete.
void npl_host_stop(struct npl_host *host);

// Says why the host function is about to return something else than `NPL_OK`.
void npl_host_fail(struct npl_host *host,
                   const char *why);

// Reads a model file and the files that it includes. Its grammar is checked, not yet its meaning.
//
// `*model` becomes a new model, to be freed with `npl_model_free`.
enum npl_status npl_model_read(const char *path,
                               struct npl_model **model,
                               struct npl_error **error);

// Reads the text of a model file; `name` stands for the file in messages.
//
// `*model` becomes a new model, to be freed with `npl_model_free`.
enum npl_status npl_model_parse(const char *name,
                                const char *text,
                                struct npl_model **model,
                                struct npl_error **error);

// Changes one value, as `--set` does: `taum=10ms` for a constant, `population.cells.size=100` for a field, `seed=3`
// or `precision=f32` for a setting.
enum npl_status npl_model_set(struct npl_model *model,
                              const char *assignment,
                              struct npl_error **error);

// Changes the seed of all random numbers.
enum npl_status npl_model_set_seed(struct npl_model *model,
                                   uint64_t seed,
                                   struct npl_error **error);

// Changes the type of real variables: `f32` or `f64`.
enum npl_status npl_model_set_precision(struct npl_model *model,
                                        const char *precision,
                                        struct npl_error **error);

// Checks everything that can be said without building the network: names, units, types, integrators.
//
// Returns `NPL_OK` or `NPL_MODEL`. `*found` holds all mistakes and warnings, and is null if there are none; it is to
// be freed with `npl_error_free` in both cases.
enum npl_status npl_model_check(const struct npl_model *model,
                                struct npl_error **found);

// The model as it is after a stage: `source`, `ast`, `model`, `step`, `ir`, `plan` or `dot`.
//
// `*text` becomes a new text, to be freed with `npl_text_free`.
enum npl_status npl_model_emit(const struct npl_model *model,
                               const char *stage,
                               struct npl_text **text,
                               struct npl_error **error);

// Frees a model; null is fine. Simulations of it go on without it.
void npl_model_free(struct npl_model *model);

// New options with their defaults. Free them with `npl_options_free`; simulations do not need them any longer once
// they are made.
enum npl_status npl_options_new(struct npl_options **options,
                                struct npl_error **error);

// How many threads may be used; 0 stands for all cores. Results do not depend on it.
enum npl_status npl_options_set_threads(struct npl_options *options,
                                        size_t threads,
                                        struct npl_error **error);

// What runs the network: `cpu`, or `interp`, the interpreter that says what everything means.
enum npl_status npl_options_set_backend(struct npl_options *options,
                                        const char *backend,
                                        struct npl_error **error);

// What runs kernels on the CPU: `auto`, `block` (portable) or `x86` (machine code). Results do not depend on it.
enum npl_status npl_options_set_kernels(struct npl_options *options,
                                        const char *kernels,
                                        struct npl_error **error);

// Keeps compiled kernels in a folder for later processes; it is made if it is not there, and holds 64 MiB at most.
// Without it nothing is kept.
enum npl_status npl_options_set_cache(struct npl_options *options,
                                      const char *folder,
                                      struct npl_error **error);

// Records to `.npy` files in a folder, which must not exist or be empty, instead of memory. `npl_finish` completes
// them.
enum npl_status npl_options_record_to(struct npl_options *options,
                                      const char *folder,
                                      struct npl_error **error);

// Frees options; null is fine.
void npl_options_free(struct npl_options *options);

// Recorded spikes of a population, view or input, or of the recorder of that name.
enum npl_status npl_recorded_spikes(struct npl_simulation *simulation,
                                    const char *of,
                                    struct npl_spikes *spikes,
                                    struct npl_error **error);

// A variable that a recorder recorded.
enum npl_status npl_recorded_trace(struct npl_simulation *simulation,
                                   const char *recorder,
                                   const char *variable,
                                   struct npl_trace *trace,
                                   struct npl_error **error);

// The recorded rate of a population, view or input, or of the recorder of that name.
enum npl_status npl_recorded_rate(struct npl_simulation *simulation,
                                  const char *of,
                                  struct npl_rate *rate,
                                  struct npl_error **error);

// How many populations and inputs have spikes that are counted.
size_t npl_population_count(struct npl_simulation *simulation);

// The spikes of a population or input so far, counted from 0. False, and nothing is written, if there is none.
bool npl_count_spikes(struct npl_simulation *simulation,
                      size_t number,
                      struct npl_spike_count *count);

// A hash over the step, population and neuron of all spikes so far: 16 hexadecimal digits and a zero byte, written to
// `digest`, which has room for `length` bytes, 17 or more.
enum npl_status npl_spike_digest(struct npl_simulation *simulation,
                                 char *digest,
                                 size_t length,
                                 struct npl_error **error);

// The synapses of a projection.
enum npl_status npl_synapses_of(struct npl_simulation *simulation,
                                const char *projection,
                                struct npl_synapses *synapses,
                                struct npl_error **error);

// Runs for `duration` seconds, rounded to steps. Recorded values and variables of earlier calls are no longer valid
// then.
enum npl_status npl_run(struct npl_simulation *simulation,
                        double duration,
                        struct npl_error **error);

// Runs one step of the network's clock.
enum npl_status npl_step(struct npl_simulation *simulation,
                         struct npl_error **error);

// Runs `steps` steps of the network's clock. `progress` and `outcome` may be null; `data` is given to `progress`.
enum npl_status npl_run_steps(struct npl_simulation *simulation,
                              uint64_t steps,
                              npl_progress_function progress,
                              void *data,
                              enum npl_outcome *outcome,
                              struct npl_error **error);

// Does what the model says: its `[[run]]` entries, or one run of its `duration`. `progress` and `outcome` may be null;
// `data` is given to `progress`.
enum npl_status npl_perform(struct npl_simulation *simulation,
                            npl_progress_function progress,
                            void *data,
                            enum npl_outcome *outcome,
                            struct npl_error **error);

// Builds the network of a model and loads it into a machine. `options` may be null.
//
// `*simulation` becomes a new simulation, to be freed with `npl_simulation_free`.
enum npl_status npl_simulate(const struct npl_model *model,
                             const struct npl_options *options,
                             struct npl_simulation **simulation,
                             struct npl_error **error);

// Builds the network of a model and goes on from a checkpoint of it, which may be that of another process.
// `options` may be null.
enum npl_status npl_resume(const struct npl_model *model,
                           const struct npl_options *options,
                           const char *checkpoint,
                           struct npl_simulation **simulation,
                           struct npl_error **error);

// Does what the `[[run]]` entries of `text` say: changes variables, delays and synapses, switches objects on and off,
// and runs. Everything that has such an entry in a model file has it here, with the model's constants.
enum npl_status npl_proceed(struct npl_simulation *simulation,
                            const char *text,
                            struct npl_error **error);

// How large the network is.
enum npl_status npl_simulation_size(struct npl_simulation *simulation,
                                    struct npl_size *size,
                                    struct npl_error **error);

// The time of the network in seconds: steps times dt. Not a number if the simulation is busy or null.
double npl_time(struct npl_simulation *simulation);

// The step of the network's clock in seconds. Not a number if the simulation is busy or null.
double npl_dt(struct npl_simulation *simulation);

// Steps of the network's clock done so far; 0 if the simulation is busy or null.
uint64_t npl_steps(struct npl_simulation *simulation);

// The state of everything, to go back to with `npl_restore` any number of times.
//
// `*snapshot` becomes a new snapshot, to be freed with `npl_snapshot_free`.
enum npl_status npl_store(struct npl_simulation *simulation,
                          struct npl_snapshot **snapshot,
                          struct npl_error **error);

// Goes back to a state of this simulation. With `forget`, what was recorded since is forgotten; without it recordings
// keep what they have, and go on with the times of the state.
enum npl_status npl_restore(struct npl_simulation *simulation,
                            const struct npl_snapshot *snapshot,
                            bool forget,
                            struct npl_error **error);

// Frees a snapshot; null is fine.
void npl_snapshot_free(struct npl_snapshot *snapshot);

// Writes the state of everything to a file, from which `npl_resume` goes on.
enum npl_status npl_checkpoint(struct npl_simulation *simulation,
                               const char *path,
                               struct npl_error **error);

// Completes the files of a recording; nothing more is recorded in them.
enum npl_status npl_finish(struct npl_simulation *simulation,
                           struct npl_error **error);

// Frees a simulation, its variables and what it recorded in memory; null is fine. A simulation that is in the middle of
// a call is left alone.
void npl_simulation_free(struct npl_simulation *simulation);

// The characters of a text, which live as long as it; empty for null.
const char *npl_text_get(const struct npl_text *text);

// Frees a text; null is fine.
void npl_text_free(struct npl_text *text);

// How many variables there are.
size_t npl_variable_count(struct npl_simulation *simulation);

// The name of a variable, `object.variable`, counted from 0; null if there is none. It lives as long as the
// simulation.
const char *npl_variable_name(struct npl_simulation *simulation,
                              size_t number);

// The values of a variable such as `cells.v`, where they are. They are valid until the next call with the simulation
// that runs it, or reads or writes variables.
enum npl_status npl_read(struct npl_simulation *simulation,
                         const char *variable,
                         struct npl_view *view,
                         struct npl_error **error);

// The same, to be changed where they are; the next step begins with what they are then.
enum npl_status npl_write(struct npl_simulation *simulation,
                          const char *variable,
                          struct npl_edit *edit,
                          struct npl_error **error);

// Copies the values of a variable as doubles, in SI base units, to `values`, which has room for `length` of them: as many
// as the variable has.
enum npl_status npl_get(struct npl_simulation *simulation,
                        const char *variable,
                        double *values,
                        size_t length,
                        struct npl_error **error);

// Sets a variable to `length` values, in SI base units: one for all elements, or one for each.
enum npl_status npl_set(struct npl_simulation *simulation,
                        const char *variable,
                        const double *values,
                        size_t length,
                        struct npl_error **error);

// The version of the library, such as `0.1.0`.
const char *npl_version(void);

// The `NPL_ABI_VERSION` that the library was built with; a program compares it with that of its header.
uint32_t npl_abi_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* NEUROPIL_H */

// Runs a model file with one and with two threads, and shows that the spikes are the same.
//
// Compile: c++ cuba.cpp $(pkg-config --cflags --libs neuropil)
// Run: ./a.out models/cuba.toml

#include <neuropil.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

struct Free {
  void operator()(npl_error *error) const { npl_error_free(error); }
  void operator()(npl_model *model) const { npl_model_free(model); }
  void operator()(npl_options *options) const { npl_options_free(options); }
  void operator()(npl_simulation *simulation) const { npl_simulation_free(simulation); }
};

template <typename T> using Handle = std::unique_ptr<T, Free>;

// Calls a function whose last argument is the address of an error, and throws that.
template <typename Function, typename... Arguments> void call(Function function, Arguments... arguments) {
  npl_error *error = nullptr;
  if (function(arguments..., &error) != NPL_OK) {
    Handle<npl_error> owner(error);
    throw std::runtime_error(npl_error_message(error));
  }
}

// Calls a function that makes a handle.
template <typename T, typename Function, typename... Arguments>
Handle<T> make(Function function, Arguments... arguments) {
  T *made = nullptr;
  call(function, arguments..., &made);
  return Handle<T>(made);
}

std::string run(const npl_model *model, std::size_t threads) {
  auto options = make<npl_options>(npl_options_new);
  call(npl_options_set_threads, options.get(), threads);
  auto simulation = make<npl_simulation>(npl_simulate, model, static_cast<const npl_options *>(options.get()));
  npl_size size;
  call(npl_simulation_size, simulation.get(), &size);
  call(npl_run, simulation.get(), 0.2);
  char digest[17];
  call(npl_spike_digest, simulation.get(), static_cast<char *>(digest), sizeof digest);
  npl_spike_count cells;
  npl_count_spikes(simulation.get(), 0, &cells);
  std::printf("%zu thread(s): %llu neurons, %llu synapses, %s at %.2f Hz, digest %s\n", threads,
              static_cast<unsigned long long>(size.neurons), static_cast<unsigned long long>(size.synapses),
              cells.population, cells.rate, digest);
  return digest;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s MODEL\n", argv[0]);
    return 2;
  }
  try {
    auto model = make<npl_model>(npl_model_read, static_cast<const char *>(argv[1]));
    call(npl_model_set_precision, model.get(), "f32");
    return run(model.get(), 1) == run(model.get(), 2) ? 0 : 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

"""Brian 2 in C++ standalone mode: builds a script's network once, then runs the binary as often as asked.

The binary runs one step, then the simulated time that is measured, and stamps wall and processor time around both. The
difference is the time of the steps alone, without what Brian prepares at the beginning of every run.
"""

import json
import os
import pathlib
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
from order import Clock, Order, Outcome  # noqa: E402

STAMP = """
{
    struct timespec _wall, _cpu;
    clock_gettime(CLOCK_MONOTONIC, &_wall);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &_cpu);
    _stamps.precision(9);
    _stamps << std::fixed << _wall.tv_sec + 1e-9*_wall.tv_nsec << " " << _cpu.tv_sec + 1e-9*_cpu.tv_nsec << std::endl;
}
"""
OPEN = 'std::ofstream _stamps((brian::results_dir + "stamps.txt").c_str());' + STAMP


def measure(build):
    """Runs the network that `build(order)` makes: it returns a list of Brian's objects, the group whose spikes are
    counted, and the groups of synapses."""
    order = Order.taken()
    directory = pathlib.Path(order.directory)
    about = directory / "about.json"
    compile_s = 0.0
    if not about.exists():
        with Clock() as clock:
            directory.mkdir(parents=True, exist_ok=True)
            about.write_text(json.dumps(compiled(order, directory / "project", build)))
        compile_s = clock.wall_s
    outcome(order, directory / "project", json.loads(about.read_text()), compile_s).tell()


def compiled(order, project, build):
    """Writes and compiles the project; what is needed to read its results."""
    import brian2 as b
    import numpy as np

    b.set_device("cpp_standalone", build_on_run=False, directory=str(project))
    b.prefs.core.default_float_dtype = {"f32": np.float32, "f64": np.float64}[order.precision]
    # Without OpenMP for one thread: the fastest that there is.
    b.prefs.devices.cpp_standalone.openmp_threads = order.threads if order.threads > 1 else 0
    b.defaultclock.dt = order.dt_s * b.second
    b.seed(order.seed)
    objects, counted, synapses = build(order)
    spikes = b.SpikeMonitor(counted, record=False)
    network = b.Network(*objects, spikes)
    b.device.insert_code("before_start", OPEN)
    b.device.insert_code("before_network_run", STAMP)
    b.device.insert_code("after_network_run", STAMP)
    network.run(b.defaultclock.dt)
    network.run(order.duration_s * b.second)
    b.device.build(directory=str(project), compile=True, run=False)

    def of(variable):
        return pathlib.Path(b.device.get_array_filename(variable, basedir=None)).name

    neurons = sum(len(o) for o in objects if isinstance(o, (b.NeuronGroup, b.PoissonGroup)))
    return {
        "version": b.__version__,
        "flags": " ".join(b.prefs.codegen.cpp.extra_compile_args or b.prefs.codegen.cpp.extra_compile_args_gcc),
        "neurons": neurons,
        "counted": len(counted),
        "count": of(spikes.variables["count"]),
        "synapses": [of(s.variables["N"]) for s in synapses],
    }


def outcome(order, project, about, compile_s):
    """Runs the binary and reads what it left."""
    process = subprocess.Popen(["./main"], cwd=project, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"the binary of {project} ended with status {process.returncode}")
    results = project / "results"
    stamps = [[float(x) for x in line.split()] for line in (results / "stamps.txt").read_text().splitlines()]
    # The start, before and after the run of one step, before and after the run that is measured.
    start, before_one, after_one, before_all, after_all = stamps
    run_s, run_cpu_s = [(after_all[k] - before_all[k]) - (after_one[k] - before_one[k]) for k in range(2)]
    return Outcome(
        peer="brian2",
        version=about["version"],
        neurons=about["neurons"],
        synapses=sum(sum(numbers(results / name)) for name in about["synapses"]),
        precision=order.precision,
        threads=order.threads,
        duration_s=order.duration_s,
        build_s=before_one[0] - start[0],
        compile_s=compile_s,
        run_s=run_s,
        run_cpu_s=run_cpu_s,
        rate_hz=sum(numbers(results / about["count"])) / about["counted"] / order.duration_s,
        flags=about["flags"],
        remarks="C++ standalone" + (", OpenMP" if order.threads > 1 else ""),
        peak_rss_bytes=usage.ru_maxrss * 1024,
    )


def numbers(path):
    """The numbers of one of Brian's files of results, 32 bits each."""
    data = path.read_bytes()
    return memoryview(data).cast("i")

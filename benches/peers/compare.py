"""Runs our networks and the peers' by turns, and prints the ratios of their times pair by pair.

    cargo build --release
    python3 benches/peers/install.py
    python3 benches/peers/compare.py --networks cuba_4000,coba_4000 --threads 1,2 --precision f32,f64 --pairs 3

What is timed is the run alone, without building and compiling, as wall time and as processor time of all threads. A
ratio above one says that ours is faster. Raw numbers and a table go to `benches/runs/DATE-MACHINE/`; with `--quick`, which
takes networks too small to say anything, they are not written unless `--out` says where. Python 3.11, its standard library.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import tomllib

import machine
from order import MARKER
from place import PEERS, ROOT, environment, interpreter, target, work

HERE = pathlib.Path(__file__).resolve().parent
Case = collections.namedtuple("Case", "network precision threads peer flags")


def main():
    options = arguments()
    networks = tomllib.loads((HERE.parent / "networks.toml").read_text())
    if options.list:
        for name, network in networks.items():
            print(f"{name:20} {', '.join(network['peers'])}")
        return
    cases, missing = chosen(options, networks)
    for peer in missing:
        print(f"{peer} is not installed: python3 benches/peers/install.py {peer}", file=sys.stderr)
    facts = machine.about()
    run = {
        "command": "python3 benches/peers/compare.py " + " ".join(portable(sys.argv[1:])),
        "date": time.strftime("%Y-%m-%d"),
        "machine": facts,
        "quick": options.quick,
        "load_before": machine.load(),
        "cases": [],
    }
    paths = destination(options, run)
    for case in cases:
        network = settled(networks[case.network], options.quick)
        run["cases"].append(measured(case, network, options))
        run["load_after"] = machine.load()
        write(paths, run)
    print()
    print(table(run))
    for path in paths:
        print(f"wrote {path}")
    if missing or any(case.get("failed") for case in run["cases"]):
        sys.exit(1)


def portable(words):
    """The arguments without the places of one machine."""
    kept, skip = [], False
    for word in words:
        if not skip and not word.startswith(("--out", "--neuropil")):
            kept.append(word)
        skip = not skip and word in ("--out", "--neuropil")
    return kept


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def words(text):
        return [word for word in text.split(",") if word]

    parser.add_argument("--networks", type=words, help="names of networks.toml [default: all]")
    parser.add_argument("--peers", type=words, default=list(PEERS), help="`none` for ours alone")
    parser.add_argument("--threads", type=lambda text: [int(n) for n in words(text)], default=[1])
    parser.add_argument("--precision", type=words, default=["f32", "f64"], help="NEST computes in f64 whatever is asked")
    parser.add_argument("--flags", type=words, default=["default", "best"], help="of ANNarchy's compiler")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--duration", type=float, help="simulated seconds, for all networks")
    parser.add_argument("--quick", action="store_true", help="tiny networks for a moment: whether the scripts work")
    parser.add_argument("--ours", default="", help="more flags of `neuropil run`")
    parser.add_argument("--neuropil", type=pathlib.Path, default=target() / "release" / "neuropil")
    parser.add_argument("--machine", help="the name of the folder [default: from the processor]")
    parser.add_argument("--out", type=pathlib.Path, help="a folder [default: benches/runs/DATE-MACHINE]")
    parser.add_argument("--no-pin", action="store_true", help="leave it to the system where threads run")
    parser.add_argument("--list", action="store_true", help="names the networks and the peers that have them")
    options = parser.parse_args()
    for word in options.precision:
        if word not in ("f32", "f64"):
            parser.error(f"there is no precision `{word}`")
    if options.pairs < 1:
        parser.error("at least one pair")
    return options


def chosen(options, networks):
    """The cases that are asked for, and the peers that would be needed and are not there."""
    names = options.networks or list(networks)
    unknown = [name for name in names if name not in networks]
    if unknown:
        sys.exit(f"there is no network {', '.join(unknown)}: see --list")
    cases, missing = [], set()
    for name in names:
        if not (ROOT / "models" / f"{networks[name]['model']}.toml").exists():
            print(f"{name}: there is no model `{networks[name]['model']}`", file=sys.stderr)
            continue
        for precision in options.precision:
            for threads in options.threads:
                if options.peers == ["none"]:
                    cases.append(Case(name, precision, threads, None, ""))
                for peer in networks[name]["peers"]:
                    if peer not in options.peers:
                        continue
                    if not interpreter(peer).exists():
                        missing.add(peer)
                        continue
                    for flags in options.flags if peer == "annarchy" else ["best"]:
                        cases.append(Case(name, precision, threads, peer, flags))
    return cases, sorted(missing)


def settled(network, quick):
    """A network with what `quick` replaces."""
    network = {"dt": "0.1 ms", **network}
    if quick:
        changes = network["quick"]
        network["duration_s"] = changes["duration_s"]
        network["set"] = {**network["set"], **changes["set"]}
    return network


def measured(case, network, options):
    """All pairs of a case."""
    if options.duration:
        network = {**network, "duration_s": options.duration}
    result = {**case._asdict(), "duration_s": network["duration_s"], "set": network["set"], "pairs": []}
    result["our_command"] = " ".join(our_command("neuropil", case, network, options))
    print(f"{label(case)}:", flush=True)
    try:
        if case.peer in ("brian2", "annarchy"):
            # Compiles on all processors; what is compiled is kept.
            theirs(case, network, options, pin=False)
        for _ in range(options.pairs):
            pair = {"ours": ours(case, network, options)}
            if case.peer:
                pair["peer"] = theirs(case, network, options, pin=True)
            result["pairs"].append(pair)
            print("  " + line(pair), flush=True)
    except Failed as failure:
        result["failed"] = str(failure)
        print(f"  failed: {failure}", flush=True)
    return result


class Failed(Exception):
    """A run that did not end well."""


def our_command(program, case, network, options):
    command = [program, "run", f"models/{network['model']}.toml", "--json", "-j", str(case.threads)]
    command += ["--precision", case.precision, "--duration", f"{network['duration_s']} s", "--dt", network["dt"]]
    for name, value in network["set"].items():
        command += ["--set", f"{name}={value}"]
    return command + options.ours.split()


def ours(case, network, options):
    """The summary of one run of ours, with the rate that is compared."""
    command = our_command(str(options.neuropil), case, network, options)
    begin = time.perf_counter()
    summary = json.loads(output(command, case, options, pin=True))
    summary["process_s"] = time.perf_counter() - begin
    spikes = sum(summary["spikes"].values())
    if "rate_of" in network:
        rate = summary["rate_hz"][network["rate_of"]]
    elif spikes:
        rate = spikes / summary["neurons"] / network["duration_s"]
    else:
        rate = None  # Rate-coded neurons: their values are not part of the summary.
    summary["compared_rate_hz"] = rate
    return summary


def theirs(case, network, options, pin):
    """The outcome of one run of a peer."""
    folder = HERE / f"for_{case.peer}"
    order = {
        "network": case.network,
        "values": network["set"],
        "duration_s": network["duration_s"],
        "dt_s": float(network["dt"].split()[0]) * 1e-3,
        "threads": case.threads,
        "precision": "f64" if case.peer == "nest" else case.precision,
        "flags": case.flags,
    }
    sources = [*sorted(folder.glob("*.py")), HERE / "requirements" / f"{case.peer}.txt"]
    key = hashlib.sha256(json.dumps(order, sort_keys=True).encode())
    for source in sources:
        key.update(source.read_bytes())
    order["directory"] = str(work(case.peer, f"{case.network}-{key.hexdigest()[:12]}"))
    script = folder / f"{network['script']}.py"
    begin = time.perf_counter()
    text = output([str(interpreter(case.peer)), str(script), json.dumps(order)], case, options, pin)
    lines = [found[len(MARKER) :] for found in text.splitlines() if found.startswith(MARKER)]
    if not lines:
        raise Failed(f"{script.relative_to(ROOT)} gives no result")
    return {**json.loads(lines[-1]), "process_s": time.perf_counter() - begin}


def output(command, case, options, pin):
    """What a program prints; it runs on as many processors as it has threads."""
    variables = {**os.environ, "OMP_NUM_THREADS": str(case.threads)}
    if case.peer:
        variables["PATH"] = f"{environment(case.peer) / 'bin'}{os.pathsep}{variables.get('PATH', '')}"
    place = None
    if pin and not options.no_pin and hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))[: case.threads]

        def place():
            os.sched_setaffinity(0, processors)

    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, preexec_fn=place)
    if done.returncode != 0:
        last = "\n    ".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        raise Failed(f"{pathlib.Path(command[0]).name} ended with status {done.returncode}\n    {last}")
    return done.stdout


def label(case):
    threads = "1 thread" if case.threads == 1 else f"{case.threads} threads"
    peer = f", {case.peer} {case.flags}" if case.peer == "annarchy" else f", {case.peer}" if case.peer else ""
    return f"{case.network}, {case.precision}, {threads}{peer}"


def line(pair):
    """One pair, in seconds per simulated second."""
    us = pair["ours"]
    text = f"ours {per_second(us, 'run_cpu_s'):9.4f} cpu {per_second(us, 'run_s'):9.4f} wall"
    text += f" {hertz(us['compared_rate_hz']):>8} Hz"
    if "peer" in pair:
        them = pair["peer"]
        text += f" | peer {per_second(them, 'run_cpu_s'):9.4f} cpu {per_second(them, 'run_s'):9.4f} wall"
        text += f" {hertz(them['rate_hz']):>8} Hz | ratio {ratio(pair, 'run_cpu_s'):7.2f} cpu {ratio(pair, 'run_s'):7.2f} wall"
    return text


def per_second(outcome, field):
    value = outcome.get(field)
    return float("nan") if value is None else value / outcome["duration_s"]


def hertz(rate):
    return "" if rate is None else f"{rate:.4g}"


def ratio(pair, field):
    us, them = per_second(pair["ours"], field), per_second(pair["peer"], field)
    return them / us if us > 0 else float("nan")


def table(run):
    """All cases as a table in Markdown. Times are medians of the pairs, ratios medians with their range."""
    rows = [
        "| network | precision | threads | peer | ours: CPU s/s | wall s/s | Hz | peer: CPU s/s | wall s/s | Hz | ratio CPU | ratio wall |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case in run["cases"]:
        pairs = case["pairs"]
        head = f"| {case['network']} | {case['precision']} | {case['threads']} | "
        if case.get("failed") or not pairs:
            rows.append(f"{head}{case['peer'] or ''} | failed | | | | | | | |")
            continue

        def middle(side, field, digits=4, pairs=pairs):
            return f"{statistics.median(per_second(pair[side], field) for pair in pairs):.{digits}g}"

        def rate(side, field, pairs=pairs):
            rates = [pair[side][field] for pair in pairs]
            return "" if None in rates else hertz(statistics.median(rates))

        cells = [middle("ours", "run_cpu_s"), middle("ours", "run_s"), rate("ours", "compared_rate_hz")]
        if case["peer"]:
            cells += [middle("peer", "run_cpu_s"), middle("peer", "run_s"), rate("peer", "rate_hz")]
            for field in ("run_cpu_s", "run_s"):
                ratios = [ratio(pair, field) for pair in pairs]
                cells.append(f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
        else:
            cells += [""] * 5
        rows.append(f"{head}{peer_name(case)} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def peer_name(case):
    if not case["peer"]:
        return ""
    peer = case["pairs"][0]["peer"]
    flags = f" ({case['flags']} flags)" if case["peer"] == "annarchy" else ""
    other = f", {peer['precision']}" if peer["precision"] != case["precision"] else ""
    return f"{case['peer']} {peer['version']}{flags}{other}"


def destination(options, run):
    """Where the raw numbers and the table go."""
    if options.quick and not options.out:
        return []
    name = f"{run['date']}-{options.machine or machine.name(run['machine'])}"
    folder = options.out or HERE.parent / "runs" / name
    stem = "peers-" + time.strftime("%H%M%S")
    return [folder / f"{stem}.json", folder / f"{stem}.md"]


def write(paths, run):
    """Both files, after every case: a comparison that is interrupted keeps what was measured."""
    if not paths:
        return
    raw, readable = paths
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.write_text(json.dumps(run, indent=1) + "\n")
    facts = run["machine"]
    head = [
        "# Ours and the peers, by turns",
        "",
        f"`{run['command']}`",
        "",
        f"Commit {facts['commit']}" + (f" with {facts['changed_files']} changed files" if facts["changed_files"] else "")
        + f"; {run['date']}; {facts['processor']}, {facts['processors']} processors,"
        f" {', '.join(facts['caches'])}, {facts['memory_gib']} GiB, {' '.join(facts['vector_units'])}; {facts['system']};"
        f" {facts['rustc']}; {facts['g++']}. Load {run['load_before']} before, {run['load_after']} after.",
        "",
        "Seconds per simulated second of the run alone: medians of the pairs. Ratios are the peer's time over ours, pair by"
        " pair: median (least to largest).",
        "",
    ]  # fmt: skip
    readable.write_text("\n".join([*head, table(run)]) + "\n")


if __name__ == "__main__":
    main()

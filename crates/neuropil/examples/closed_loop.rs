//! A controller in the program holds the firing rate of a population at a set point: a host operation counts spikes
//! every 10 ms and turns the input current up or down. `cargo run --release --example closed_loop`

#![allow(clippy::print_stdout, reason = "an example")]

use neuropil::{Builder, Cpu, Error, Options};

/// The rate that the controller aims at, in hertz.
const WANTED: f64 = 30.0;

fn main() -> Result<(), Error> {
    let mut network = Builder::new("closed_loop");
    network
        .neuron("lif")
        .equations(
            "dv/dt = (drive - v)/(20*ms) + 0.1*xi/sqrt(ms) : 1 (unless refractory)\ndrive : 1 (shared)",
        )
        .threshold("v > 1")
        .reset("v = 0")
        .refractory("2 ms")
        .method("euler");
    network.population("cells", "lif", 200);
    network.host("count", "end", None);
    network.host("control", "end", Some("10 ms"));
    let model = network.model();

    let mut simulation = model.simulate(&Cpu, &Options::default())?;
    let spikes = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&spikes);
    simulation.bind("count", move |host| {
        let now = host.events("cells", "spike")?.len();
        counted.fetch_add(now, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    })?;
    simulation.bind("control", move |host| {
        let rate = spikes.swap(0, std::sync::atomic::Ordering::Relaxed) as f64 / 200.0 / 0.01;
        let drive = host.values("cells.drive")?[0];
        println!("{:6.0} ms {rate:6.1} Hz, drive {drive:.3}", host.time() * 1e3);
        host.set("cells.drive", &[drive + 0.002 * (WANTED - rate)])?;
        Ok(())
    })?;
    simulation.run(0.5)?;
    Ok(())
}

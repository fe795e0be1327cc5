//! `neuropil sweep`: a model with every combination of some values, and a table of what each did.

use std::fs::{self, File};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use neuropil::{
    Axis, Error, Measured, Model, ModelError, Outcome, Pairing, Point, RecordTo, Simulation, Sweep,
};

use crate::check::counted;
use crate::console::{self, Message};
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::job::SweepJob;
use crate::progress::Tally;
use crate::{model, place};

/// What the table is called in the directory.
const TABLE: &str = "summary.csv";

/// Runs all points, prints or writes the table, and tells of points that failed.
///
/// # Errors
/// Names and values that no point can take, and places that cannot be written. A point that fails is no error here:
/// it is told, is a row of the table, and makes the exit status 1.
pub(crate) fn sweep(job: SweepJob) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen();
    let model = model::load(&job.model)?;
    let sweep = arranged(&job, model)?;
    let points = sweep.points()?;
    let populations = populations(&sweep, &points)?;
    if let Some(dir) = &job.out {
        place::directory(dir)?;
    }
    let mut table = Table::new(job.out.as_deref(), &sweep_names(&points), &populations)?;
    interrupt.begin();
    let begin = Instant::now();
    let mut bar = Tally::new(job.chatter, points.len());
    let (mut n_done, mut n_failed) = (0, 0);
    let mut trouble = Ok(());
    let measure = |_: &Point, simulation: &mut Simulation| {
        let outcome = simulation.perform(&mut |_| {
            if interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        simulation.finish(outcome != Outcome::Stopped)?;
        Ok(Measured::new(simulation, outcome))
    };
    let swept = sweep.map(&*job.backend, measure, |point, result| {
        if interrupted(result) {
            return ControlFlow::Break(());
        }
        n_done += 1;
        bar.update(n_done);
        if let Err(error) = result {
            n_failed += 1;
            bar.aside(|| tell(point, error));
        }
        trouble = table.add(point, result);
        if trouble.is_err() || interrupt.requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    bar.end();
    let swept = swept.map_err(of_point)?;
    trouble?;
    // What was interrupted may lie between points that were not.
    for (point, result) in swept.results.iter().filter(|(_, result)| !interrupted(result)) {
        table.write(point, result)?;
    }
    let written = table.end()?;
    if job.says() {
        let mut text = format!("{} of {}", n_done, counted(points.len() as u64, "point"));
        if n_failed > 0 {
            text += &format!(", {n_failed} failed");
        }
        text += &format!(
            ", {} compiled, {:.1} s",
            counted(swept.compiled, "kernel"),
            begin.elapsed().as_secs_f64()
        );
        if let Some(path) = written {
            text += &format!("; wrote {}", path.display());
        }
        console::tell(Message::Note, &text);
    }
    Ok(if n_done < points.len() {
        Exit::Interrupted
    } else if n_failed > 0 {
        Exit::Failed
    } else {
        Exit::Done
    })
}

/// The sweep that the command line asks for.
fn arranged(job: &SweepJob, model: Model) -> Result<Sweep, Failure> {
    let mut sweep = Sweep::new(model)
        .pairing(if job.zip { Pairing::Zip } else { Pairing::Product })
        .jobs(job.jobs)
        .threads(job.threads);
    for text in &job.set {
        sweep = sweep.vary(Axis::parse(text)?);
    }
    if let Some(seeds) = &job.seeds {
        sweep = sweep.vary(Axis::parse(&format!("seed={seeds}"))?);
    }
    Ok(match job.out.clone().filter(|_| job.record) {
        Some(dir) => sweep.record(move |point| RecordTo::Directory(dir.join(directory(point)))),
        None => sweep,
    })
}

/// Where the recording of a point is, within the directory of the sweep.
fn directory(point: &Point) -> String {
    format!("point-{}", point.index + 1)
}

/// The populations of the network, which are columns of the table. What is wrong with every point is told once, here.
fn populations(sweep: &Sweep, points: &[Point]) -> Result<Vec<String>, Failure> {
    let mut first: Option<ModelError> = None;
    for point in points {
        match sweep.model(point).and_then(|model| model.network()) {
            Ok((network, _)) if !network.host_operations.is_empty() => {
                let name = network.host_operations[0].name.clone();
                return Err(neuropil::RunError::Unbound { name }.into());
            }
            Ok((network, _)) => {
                let spiking = network.populations.iter().filter(|p| !p.events.is_empty());
                return Ok(spiking.map(|p| p.name.clone()).collect());
            }
            Err(error) => first = first.or(Some(error)),
        }
    }
    first.map_or(Ok(Vec::new()), |error| Err(error.into()))
}

fn sweep_names(points: &[Point]) -> Vec<String> {
    points.first().map_or(Vec::new(), |point| point.values.iter().map(|(name, _)| name.clone()).collect())
}

fn interrupted(result: &Result<Measured, Error>) -> bool {
    result.as_ref().is_ok_and(|measured| measured.outcome == Outcome::Stopped)
}

/// Says which point failed, and why.
fn tell(point: &Point, error: &Error) {
    let values: Vec<String> = point.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    match error {
        Error::Model(error) => {
            console::tell(Message::Error, &format!("point {} ({}):", point.index + 1, values.join(", ")));
            console::show(&error.diagnostics, &error.sources);
        }
        Error::Build(_) | Error::Run(_) | Error::Record(_) => {
            let text = format!("point {} ({}): {error}", point.index + 1, values.join(", "));
            console::tell(Message::Error, &text);
        }
    }
}

fn of_point(error: Error) -> Failure {
    match error {
        Error::Model(error) => error.into(),
        Error::Build(_) | Error::Run(_) | Error::Record(_) => Failure::Simulation(Box::new(error)),
    }
}

/// The table: a row per point, in the order of points.
struct Table {
    n_columns: usize,
    populations: Vec<String>,
    /// The next row.
    next: usize,
    /// Rows that wait for one before them.
    early: Vec<(usize, String)>,
    /// The temporary file and its last name; rows go to standard output if there is none.
    file: Option<(File, PathBuf)>,
}

impl Table {
    fn new(dir: Option<&Path>, names: &[String], populations: &[String]) -> Result<Self, Failure> {
        let file = match dir {
            Some(dir) => {
                let path = dir.join(TABLE);
                let fail = |source| Failure::Place { path: path.clone(), source };
                fs::create_dir_all(dir).map_err(fail)?;
                Some((File::create(partial(&path)).map_err(fail)?, path))
            }
            None => None,
        };
        let fixed = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let spikes = populations.iter().map(|p| format!("spikes.{p}"));
        let rates = populations.iter().map(|p| format!("rate_hz.{p}"));
        let columns: Vec<String> = fixed(&["point"])
            .into_iter()
            .chain(names.iter().cloned())
            .chain(fixed(&["spikes"]))
            .chain(spikes)
            .chain(rates)
            .chain(fixed(&["duration_s", "spike_digest", "build_s", "run_s", "error"]))
            .collect();
        let mut table = Self {
            n_columns: columns.len(),
            populations: populations.to_vec(),
            next: 0,
            early: Vec::new(),
            file,
        };
        table.line(&line(&columns))?;
        Ok(table)
    }

    /// Keeps the row of a point until those before it have been written.
    fn add(&mut self, point: &Point, result: &Result<Measured, Error>) -> Result<(), Failure> {
        self.early.push((point.index, self.row(point, result)));
        while let Some(k) = self.early.iter().position(|(index, _)| *index == self.next) {
            let (_, row) = self.early.swap_remove(k);
            self.line(&row)?;
            self.next += 1;
        }
        Ok(())
    }

    /// Writes the row of a point if it has not been written.
    fn write(&mut self, point: &Point, result: &Result<Measured, Error>) -> Result<(), Failure> {
        if point.index < self.next {
            return Ok(());
        }
        let row = self.row(point, result);
        self.next = point.index + 1;
        self.line(&row)
    }

    fn row(&self, point: &Point, result: &Result<Measured, Error>) -> String {
        let mut cells = vec![(point.index + 1).to_string()];
        cells.extend(point.values.iter().map(|(_, value)| value.clone()));
        match result {
            Ok(measured) => {
                let of = |population: &String| measured.spikes.iter().find(|s| s.population == *population);
                cells.push(measured.spikes.iter().map(|s| s.spikes).sum::<u64>().to_string());
                cells.extend(
                    self.populations.iter().map(|p| of(p).map_or(String::new(), |s| s.spikes.to_string())),
                );
                cells.extend(
                    self.populations.iter().map(|p| of(p).map_or(String::new(), |s| s.rate_hz.to_string())),
                );
                let timings = measured.timings;
                cells.extend([
                    measured.time_s.to_string(),
                    measured.digest.clone(),
                    (timings.build_s + timings.compile_s).to_string(),
                    timings.run_s.to_string(),
                    String::new(),
                ]);
            }
            Err(error) => {
                cells.resize(self.n_columns - 1, String::new());
                cells.push(summary(error));
            }
        }
        line(&cells)
    }

    fn line(&mut self, text: &str) -> Result<(), Failure> {
        match &mut self.file {
            Some((file, path)) => file
                .write_all(text.as_bytes())
                .map_err(|source| Failure::Place { path: path.clone(), source }),
            None => console::print(text),
        }
    }

    /// Gives the file its name, and says where it is.
    fn end(self) -> Result<Option<PathBuf>, Failure> {
        let Some((file, path)) = self.file else { return Ok(None) };
        let renamed = file.sync_all().and_then(|()| fs::rename(partial(&path), &path));
        renamed.map_err(|source| Failure::Place { path: path.clone(), source })?;
        Ok(Some(path))
    }
}

fn partial(path: &Path) -> PathBuf {
    path.with_extension("csv.partial")
}

/// An error in one line: of a wrong model, its first mistake.
fn summary(error: &Error) -> String {
    match error {
        Error::Model(error) => {
            let first = error.diagnostics.iter().find(|d| d.severity == neuropil::Severity::Error);
            first.map_or_else(String::new, |d| format!("{}: {}", d.code, d.message))
        }
        Error::Build(_) | Error::Run(_) | Error::Record(_) => error.to_string(),
    }
}

/// Cells as a line of comma-separated values (RFC 4180, lines end as on this system's other texts).
fn line(cells: &[String]) -> String {
    let quoted = |cell: &String| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_and_quotes_have_quotes() {
        let cells = ["a", "b, c", "say \"d\"", ""].map(str::to_owned);
        assert_eq!(line(&cells), "a,\"b, c\",\"say \"\"d\"\"\",\n");
    }
}

//! Checkpoints: the state of a simulation in a file, from which another process goes on.
//!
//! # What is in one
//! Sixteen bytes that say what it is, the version of the format, and a [stream of frames](frame), in which, one after the
//! other:
//!
//! * facts about the model (seed, precision, duration, a hash of everything else), by which a checkpoint of another model
//!   is known and refused;
//! * how far the recording in files had come;
//! * the state: the contents of every buffer, events under way, the times of subnetworks, what is switched on, tallies and
//!   digests, and how much of the model's protocol had been done;
//! * the states that the protocol had stored under a name.
//!
//! Synapses that the seed made are not in it: they are made again, and a hash holds that they are the same. Those that
//! were made while running are in it. The network, its program and plan are not: the acts that the protocol had done say
//! which network it was, and the program follows from that. What a program did to the network by calls cannot be said by
//! a protocol, so then there is no checkpoint ([`CheckpointError::Changed`]).
//!
//! # What survives what
//! A checkpoint is written under a temporary name, waits for the disk, and is renamed: there is always a whole one.

mod code;
mod frame;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

use neuropil_backend::{Backend, Saved, State, Synapses};
use neuropil_connectivity::{Storage, Walk as _};
use neuropil_kernels::program::{Buffer, BufferId, ClockIdx, Role, Stream};
use neuropil_kernels::{Former, Program, ProjectionShape};
use neuropil_memory::HostBuffer;
use neuropil_model::{Act, Network, ProjectionId, StopId, SubnetworkId};
use neuropil_record::{Mark, SpikeDigest};
use neuropil_schedule::Plan;

use self::code::{Decoder, Encoder, invalid};
use self::frame::{Framed, Unframed};
use crate::pool::lower;
use crate::recording::{Recorded, Recording, Tally};
use crate::simulation::{Circumstances, Elsewhere};
use crate::{BuildError, Options, RecordTo, RunError, Simulation, Snapshot};

const MAGIC: &[u8; 16] = b"neuropil state\r\n";
const VERSION: u32 = 2;

/// Why a checkpoint cannot be written, or not be gone on from.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The operating system refused something.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried: `write`, `rename`, `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file of another kind.
    #[error("`{}` is not a checkpoint", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A checkpoint of another version of the format.
    #[error("`{}` is a checkpoint of version `{found}`; version {VERSION} can be read", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A checkpoint that was cut or changed.
    #[error("the checkpoint `{}` is damaged: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A checkpoint of another model, or of this one with other values.
    #[error("the checkpoint `{}` does not fit: its {what} is `{stored}`, not `{now}`", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// The first thing that differs.
        what: String,
        /// What it was.
        stored: String,
        /// What it is.
        now: String,
    },
    /// The network is not what the model's protocol has made of it.
    #[error(
        "the program has changed delays, synapses or conditions of the network; a checkpoint holds such changes only \
         if the model's own protocol makes them"
    )]
    Changed,
}

/// What a simulation was at the beginning.
pub(crate) struct Origin {
    pub network: Arc<Network>,
    /// The synapses that the seed made, as long as somebody needs them.
    synapses: Vec<Weak<Synapses>>,
    /// Their hashes.
    hashes: Vec<OnceLock<u64>>,
    fingerprint: OnceLock<u64>,
}

impl Origin {
    pub(crate) fn new(network: &Arc<Network>, synapses: &[Arc<Synapses>]) -> Self {
        Self {
            network: Arc::clone(network),
            synapses: synapses.iter().map(Arc::downgrade).collect(),
            hashes: synapses.iter().map(|_| OnceLock::new()).collect(),
            fingerprint: OnceLock::new(),
        }
    }

    /// The network after the first acts of its protocol.
    fn after(&self, n_acts: usize) -> Arc<Network> {
        let mut network = Arc::clone(&self.network);
        let mut stored: BTreeMap<&str, Arc<Network>> = BTreeMap::new();
        for act in self.network.protocol.iter().take(n_acts) {
            match act {
                Act::Run { .. } | Act::Set(_) | Act::Switch { .. } => {}
                Act::Delay { projection, pathway, delay } => {
                    let of = &mut Arc::make_mut(&mut network).projections[projection.index()];
                    of.pathways[*pathway].delay = delay.clone();
                }
                Act::Connect { projection, connect } => {
                    Arc::make_mut(&mut network).projections[projection.index()].connect = connect.clone();
                }
                Act::Store(name) => {
                    stored.insert(name, Arc::clone(&network));
                }
                Act::Restore(name) => {
                    if let Some(then) = stored.get(name.as_str()) {
                        network = Arc::clone(then);
                    }
                }
            }
        }
        network
    }

    /// A hash of a network: equal for equal ones.
    fn fingerprint_of(&self, network: &Arc<Network>) -> u64 {
        if Arc::ptr_eq(network, &self.network) {
            return *self.fingerprint.get_or_init(|| fingerprint(network));
        }
        fingerprint(network)
    }

    /// Whether these are the synapses that the seed made; if so, their hash.
    fn made(&self, k: usize, synapses: &Arc<Synapses>) -> io::Result<Option<u64>> {
        let made = self.synapses.get(k).and_then(Weak::upgrade);
        let hash = made.filter(|made| Arc::ptr_eq(made, synapses)).and_then(|_| self.hashes.get(k));
        let Some(hash) = hash else { return Ok(None) };
        if let Some(known) = hash.get() {
            return Ok(Some(*known));
        }
        let rows = synapses.rows.borrow().map_err(io::Error::other)?;
        Ok(Some(*hash.get_or_init(|| rows_hash(&rows))))
    }
}

/// A hash of all that a network is. Its parts are ordered, and floats are printed with all their digits.
fn fingerprint(network: &Network) -> u64 {
    struct Hash(u64);
    impl std::fmt::Write for Hash {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0 = frame::checksum(self.0, text.as_bytes());
            Ok(())
        }
    }
    let mut hash = Hash(0);
    // A hash takes everything.
    let _ = write!(hash, "{network:?}");
    hash.0
}

fn rows_hash(rows: &Storage) -> u64 {
    let mut hash = 0;
    let mut row = Vec::new();
    for pre in 0..rows.n_pre() {
        row.clear();
        rows.for_row(pre, |_, post| row.extend(post.to_le_bytes()));
        hash = frame::checksum(hash, &row);
    }
    hash
}

/// What a checkpoint is checked against: names and values.
fn facts(origin: &Origin) -> Vec<(String, String)> {
    let network = &origin.network;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    vec![
        fact("version of neuropil", env!("CARGO_PKG_VERSION").to_owned()),
        fact("model", network.name.clone()),
        fact("seed", network.seed.to_string()),
        fact("precision", network.precision.to_string()),
        fact("step in seconds", network.clocks.first().map_or(0.0, |c| c.dt).to_string()),
        fact("duration in seconds", network.duration.to_string()),
        fact("fingerprint of the model", format!("{:016x}", origin.fingerprint_of(network))),
    ]
}

impl Simulation {
    /// Writes everything that the simulation is to a file, from which [`resume`](Self::resume) goes on in another process.
    /// An earlier file of that name stays until this one is whole. What has been recorded in files so far is on the disk
    /// then too.
    ///
    /// # Errors
    /// [`CheckpointError`] for what cannot be written, and [`RunError`] for a recording or device that failed.
    pub fn checkpoint(&mut self, path: &Path) -> Result<(), RunError> {
        let expected = self.origin.after(self.circumstances.done.0);
        let is_changed = |network: &Arc<Network>, expected: &Arc<Network>| {
            !Arc::ptr_eq(network, expected)
                && self.origin.fingerprint_of(network) != self.origin.fingerprint_of(expected)
        };
        let of_stored = |s: &Snapshot| is_changed(&s.network, &self.origin.after(s.circumstances.done.0));
        if is_changed(&self.network, &expected) || self.stored.values().any(of_stored) {
            return Err(CheckpointError::Changed.into());
        }
        let mark = self.recording.settle()?;
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".partial");
        let temporary = PathBuf::from(temporary);
        let failed = |action, source| CheckpointError::Io { action, path: path.to_owned(), source };
        let file = File::create(&temporary).map_err(|e| failed("write", e))?;
        let mut to = BufWriter::with_capacity(1 << 16, file);
        let header = to.write_all(MAGIC).and_then(|()| to.write_all(&VERSION.to_le_bytes()));
        header.map_err(|e| failed("write", e))?;
        let mut to = Encoder { to: Framed::new(to) };
        self.encode(&mut to, mark.as_ref()).map_err(|fail| match fail {
            Fail::Io(e) => failed("write", e).into(),
            Fail::Run(e) => e,
        })?;
        let file = to.to.end().and_then(|to| to.into_inner().map_err(io::IntoInnerError::into_error));
        let synced = file.and_then(|file| file.sync_all());
        synced.map_err(|e| failed("write", e))?;
        fs::rename(&temporary, path).map_err(|e| failed("rename", e))?;
        // The name is on the disk when its directory is; where directories cannot be synced there is no more to be done.
        if let Some(dir) = path.parent() {
            let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
            let _ = File::open(dir).and_then(|dir| dir.sync_all());
        }
        Ok(())
    }

    fn encode<W: Write>(&mut self, to: &mut Encoder<W>, mark: Option<&Mark>) -> Result<(), Fail> {
        to.list(facts(&self.origin).iter(), |to, (name, value)| {
            to.text(name)?;
            to.text(value)
        })?;
        let words = mark.map(Mark::words).unwrap_or_default();
        to.list(words.iter(), |to, word| to.word(*word))?;
        let mut made = Made { origin: &self.origin, written: Vec::new() };
        // Buffers are written where they are, one after the other, and not copied before.
        let state = self.machine.save(Saved::Time).map_err(RunError::from)?;
        let snapshot = Parts {
            fingerprint: self.origin.fingerprint_of(&self.network),
            program: &self.program,
            shapes: &self.shapes,
            synapses: &self.synapses,
            off: &self.off,
            circumstances: &self.circumstances,
            tallies: &self.recording.tallies,
            state: &state,
        };
        snapshot.encode(to, &mut made)?;
        to.count(self.program.buffers.len())?;
        for k in 0..self.program.buffers.len() {
            to.text(&self.program.buffers[k].name)?;
            to.buffer(self.machine.read(BufferId::new(k)).map_err(RunError::from)?)?;
        }
        to.count(self.stored.len())?;
        for (name, stored) in &self.stored {
            // Every field is named here, so that a new one is not forgotten; network and plan follow from the others.
            let Snapshot {
                network,
                program,
                plan: _,
                shapes,
                synapses,
                off,
                circumstances,
                state,
                tallies,
                recorded: _,
            } = stored;
            let fingerprint = self.origin.fingerprint_of(network);
            to.text(name)?;
            let parts = Parts { fingerprint, program, shapes, synapses, off, circumstances, tallies, state };
            parts.encode(to, &mut made)?;
            to.count(state.buffers.len())?;
            for (id, contents) in &state.buffers {
                to.text(&program.buffers[id.index()].name)?;
                to.buffer(contents)?;
            }
        }
        Ok(())
    }

    /// Builds a network and goes on from a checkpoint of it: as if the process that wrote it had never ended. Where that
    /// recorded to files, `options` names their directory, and they are gone on with; what it had recorded in memory is
    /// lost.
    ///
    /// # Errors
    /// [`BuildError::Checkpoint`] for a checkpoint that is damaged or of another model, and all others of
    /// [`new`](Self::new).
    pub fn resume(
        network: Network,
        backend: &dyn Backend,
        options: &Options,
        path: &Path,
    ) -> Result<Self, BuildError> {
        let nowhere = Options { record: RecordTo::Nothing, ..options.clone() };
        let mut simulation = Self::new(network, backend, &nowhere)?;
        let (mark, snapshot, stored) = simulation.read(path).map_err(|fail| match fail {
            Refused::Io(e) if e.kind() == ErrorKind::NotFound => {
                CheckpointError::Io { action: "read", path: path.to_owned(), source: e }.into()
            }
            Refused::Io(e) if e.kind() == ErrorKind::UnexpectedEof => {
                CheckpointError::Damaged { path: path.to_owned(), message: "it ends too early".to_owned() }
                    .into()
            }
            Refused::Io(e) if e.kind() == ErrorKind::InvalidData => {
                CheckpointError::Damaged { path: path.to_owned(), message: e.to_string() }.into()
            }
            Refused::Io(e) => CheckpointError::Io { action: "read", path: path.to_owned(), source: e }.into(),
            Refused::Because(error) => BuildError::from(error),
            Refused::Build(error) => error,
        })?;
        simulation.recording = Recording::resumed(
            &simulation.origin.network,
            simulation.n_recorders,
            &options.record,
            mark.as_ref(),
        )?;
        if let Err(error) = simulation.restore(&snapshot) {
            return Err(match error {
                RunError::Build(error) => *error,
                other => {
                    CheckpointError::Damaged { path: path.to_owned(), message: other.to_string() }.into()
                }
            });
        }
        simulation.stored = stored;
        Ok(simulation)
    }

    fn read(&self, path: &Path) -> Result<Content, Refused> {
        let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
        let mut magic = [0; 16];
        let foreign = || Refused::Because(CheckpointError::Foreign { path: path.to_owned() });
        file.read_exact(&mut magic).map_err(|_| foreign())?;
        if magic != *MAGIC {
            return Err(foreign());
        }
        let mut version = [0; 4];
        file.read_exact(&mut version)?;
        let found = u32::from_le_bytes(version);
        if found != VERSION {
            return Err(Refused::Because(CheckpointError::Version { path: path.to_owned(), found }));
        }
        let mut from = Decoder { from: Unframed::new(file) };
        let stored = from.list(|from| Ok((from.text()?, from.text()?)))?;
        for ((what, stored), (name, now)) in stored.into_iter().zip(facts(&self.origin)) {
            if what != name || stored != now {
                let path = path.to_owned();
                return Err(Refused::Because(CheckpointError::Differs { path, what, stored, now }));
            }
        }
        let words = from.list(Decoder::word)?;
        let mut known = Vec::new();
        let snapshot = self.snapshot(&mut from, &mut known)?;
        let mut stored = BTreeMap::new();
        for _ in 0..from.count()? {
            let name = from.text()?;
            stored.insert(name, self.snapshot(&mut from, &mut known)?);
        }
        from.from.end()?;
        Ok((Mark::from_words(&words), snapshot, stored))
    }

    /// Reads a state.
    fn snapshot<R: Read>(
        &self,
        from: &mut Decoder<R>,
        known: &mut Vec<Arc<Synapses>>,
    ) -> Result<Snapshot, Refused> {
        let origin = &*self.origin.network;
        let n_objects = (origin.populations.len(), origin.projections.len());
        let fingerprint = from.word()?;
        let off = from.owners(n_objects)?;
        let subnetwork = optional(from, origin.subnetworks.len())?.map(SubnetworkId::new);
        let stop = optional(from, origin.stops.len())?.map(StopId::new);
        let done = (from.count()?, from.word()?);
        let (steps, draws, followed) = (from.word()?, from.word()? as u32, from.word()? as u32);
        let rewired = from.list(|from| from.below(n_objects.1).map(ProjectionId::new))?;
        let elsewhere = from.list(|from| {
            let of = optional(from, origin.subnetworks.len())?.map(SubnetworkId::new);
            Ok((of, away(from)?))
        })?;
        let network = self.origin.after(done.0);
        if fingerprint != self.origin.fingerprint_of(&network) {
            return Err(invalid("its network does not follow from the model's protocol").into());
        }
        let shapes = from.list(Decoder::shape)?;
        let synapses = self.connected(from, known)?;
        fitting(&network, &shapes, &synapses)?;
        let left_out = from.owners(n_objects)?;
        let tallies = from.list(|from| Ok([from.word()?, from.word()?, from.word()?]))?;
        if tallies.len() != self.recording.tallies.len() {
            return Err(invalid(format!("`{}` tallies", tallies.len())).into());
        }
        let tallies = tallies.iter().zip(&self.recording.tallies).map(|([count, state, n], tally)| Tally {
            population: tally.population,
            count: *count,
            digest: SpikeDigest::from_words([*state, *n]),
        });
        let (tick, latest, events) = under_way(from)?;
        let program =
            Arc::new(lower(&*self.backend, &network, &shapes).map_err(BuildError::from)?.without(&left_out));
        let plan = Arc::new(Plan::new(&program));
        let fits = |(stream, ring): (&Stream, &Vec<Vec<u32>>)| {
            ring.len() == stream.history as usize + 1
                && ring.iter().all(|e| e.is_sorted() && e.last().is_none_or(|n| *n < stream.size))
        };
        if events.len() != program.streams.len() || !program.streams.iter().zip(&events).all(fits) {
            return Err(invalid("its events under way do not fit the network").into());
        }
        let n = from.count()?;
        if n != program.buffers.len() {
            return Err(invalid(format!("{n} buffers, not {}", program.buffers.len())).into());
        }
        let mut buffers = Vec::with_capacity(n);
        for (k, buffer) in program.buffers.iter().enumerate() {
            let name = from.text()?;
            if name != buffer.name {
                return Err(invalid(format!("a buffer is `{name}`, not `{}`", buffer.name)).into());
            }
            buffers.push((BufferId::new(k), from.buffer(buffer.ty, buffer.len)?));
        }
        let times = elsewhere.into_iter().map(|(of, away)| (of, away.known(&program)));
        Ok(Snapshot {
            circumstances: Circumstances {
                off,
                subnetwork,
                stop,
                times: times.collect(),
                done,
                steps,
                draws,
                followed,
                rewired: rewired.into_iter().collect(),
            },
            state: State { program: Arc::clone(&program), tick, buffers, events, latest },
            recorded: Recorded::default(),
            network,
            program,
            plan,
            shapes,
            synapses,
            off: left_out,
            tallies: tallies.collect(),
        })
    }

    /// Reads who is connected: what the seed made is here already.
    fn connected<R: Read>(
        &self,
        from: &mut Decoder<R>,
        known: &mut Vec<Arc<Synapses>>,
    ) -> Result<Vec<Arc<Synapses>>, Refused> {
        let mut all = Vec::new();
        let n = from.count()?;
        for k in 0..n {
            let mine = self.synapses.get(k).ok_or_else(|| invalid(format!("{n} projections")))?;
            all.push(match from.byte()? {
                0 => {
                    if self.origin.made(k, mine)? != Some(from.word()?) {
                        let name = &self.origin.network.projections[k].name;
                        return Err(invalid(format!("the seed made other synapses of `{name}`")).into());
                    }
                    Arc::clone(mine)
                }
                1 => {
                    known.push(Arc::new(from.synapses()?));
                    known.last().map_or_else(|| Arc::clone(mine), Arc::clone)
                }
                _ => {
                    let earlier = from.count()?;
                    Arc::clone(known.get(earlier).ok_or_else(|| invalid("synapses that are nowhere"))?)
                }
            });
        }
        Ok(all)
    }
}

/// What a checkpoint holds: how far the recording in files had come, the state, and those stored under a name.
type Content = (Option<Mark>, Snapshot, BTreeMap<String, Snapshot>);

/// Why a checkpoint could not be read.
enum Refused {
    Io(io::Error),
    Because(CheckpointError),
    Build(BuildError),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<BuildError> for Refused {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

/// Why a checkpoint could not be written.
enum Fail {
    Io(io::Error),
    Run(RunError),
}

impl From<io::Error> for Fail {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<RunError> for Fail {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

/// Synapses that are in the file, or need not be.
struct Made<'a> {
    origin: &'a Origin,
    written: Vec<Arc<Synapses>>,
}

/// A state without its buffers.
struct Parts<'a> {
    fingerprint: u64,
    program: &'a Program,
    shapes: &'a [ProjectionShape],
    synapses: &'a [Arc<Synapses>],
    off: &'a std::collections::BTreeSet<neuropil_kernels::program::Owner>,
    circumstances: &'a Circumstances,
    tallies: &'a [Tally],
    state: &'a State,
}

impl Parts<'_> {
    fn encode<W: Write>(&self, to: &mut Encoder<W>, made: &mut Made<'_>) -> io::Result<()> {
        let Circumstances { off, subnetwork, stop, times, done, steps, draws, followed, rewired } =
            self.circumstances;
        to.word(self.fingerprint)?;
        to.owners(off)?;
        option(to, subnetwork.map(SubnetworkId::index))?;
        option(to, stop.map(StopId::index))?;
        to.count(done.0)?;
        to.word(done.1)?;
        to.word(*steps)?;
        to.word(u64::from(*draws))?;
        to.word(u64::from(*followed))?;
        to.list(rewired.iter(), |to, id| to.count(id.index()))?;
        to.list(times.iter(), |to, (subnetwork, Elsewhere { state, former })| {
            option(to, subnetwork.map(SubnetworkId::index))?;
            to.list(state.program.streams.iter(), |to, stream| to.text(&stream.name))?;
            to.list(state.buffers.iter(), |to, (id, contents)| {
                to.text(&state.program.buffers[id.index()].name)?;
                to.buffer(contents)
            })?;
            encode_under_way(to, state)?;
            to.list(former.iter(), |to, former| to.former(former))
        })?;
        to.list(self.shapes.iter(), Encoder::shape)?;
        to.count(self.synapses.len())?;
        for (k, synapses) in self.synapses.iter().enumerate() {
            if let Some(hash) = made.origin.made(k, synapses)? {
                to.byte(0)?;
                to.word(hash)?;
            } else if let Some(earlier) = made.written.iter().position(|s| Arc::ptr_eq(s, synapses)) {
                to.byte(2)?;
                to.count(earlier)?;
            } else {
                to.byte(1)?;
                to.synapses(synapses)?;
                made.written.push(Arc::clone(synapses));
            }
        }
        to.owners(self.off)?;
        to.list(self.tallies.iter(), |to, tally| {
            let [state, n] = tally.digest.words();
            to.word(tally.count)?;
            to.word(state)?;
            to.word(n)
        })?;
        debug_assert_eq!(self.state.events.len(), self.program.streams.len());
        encode_under_way(to, self.state)
    }
}

fn encode_under_way<W: Write>(to: &mut Encoder<W>, state: &State) -> io::Result<()> {
    to.word(state.tick)?;
    to.list(state.latest.iter(), |to, step| to.signed(*step))?;
    to.list(state.events.iter(), |to, ring| to.list(ring.iter(), |to, events| to.numbers(events)))
}

/// A tick, the steps in which streams were last filled, and their events.
type UnderWay = (u64, Vec<i64>, Vec<Vec<Vec<u32>>>);

fn under_way<R: Read>(from: &mut Decoder<R>) -> io::Result<UnderWay> {
    let tick = from.word()?;
    let latest = from.list(Decoder::signed)?;
    let events = from.list(|from| from.list(Decoder::numbers))?;
    // Places in a ring are counted modulo its length.
    if latest.len() != events.len() || events.iter().any(Vec::is_empty) {
        return Err(invalid("its events under way have no steps"));
    }
    Ok((tick, latest, events))
}

fn option<W: Write>(to: &mut Encoder<W>, index: Option<usize>) -> io::Result<()> {
    to.count(index.map_or(0, |k| k + 1))
}

fn optional<R: Read>(from: &mut Decoder<R>, n: usize) -> io::Result<Option<usize>> {
    let k = from.count()?;
    if k > n { Err(invalid(format!("number {k} of {n}"))) } else { Ok(k.checked_sub(1)) }
}

/// A network that did not run when the checkpoint was written.
struct Away {
    streams: Vec<String>,
    buffers: Vec<(String, HostBuffer)>,
    tick: u64,
    latest: Vec<i64>,
    events: Vec<Vec<Vec<u32>>>,
    former: Vec<Vec<Former>>,
}

/// The most elements that a ring of earlier values can have.
const MOST_ELEMENTS: usize = 1 << 40;

fn away<R: Read>(from: &mut Decoder<R>) -> io::Result<Away> {
    let streams = from.list(Decoder::text)?;
    let buffers = from.list(|from| Ok((from.text()?, from.any_buffer(MOST_ELEMENTS)?)))?;
    let (tick, latest, events) = under_way(from)?;
    if events.len() != streams.len() {
        return Err(invalid("its events under way belong to no stream"));
    }
    Ok(Away { streams, buffers, tick, latest, events, former: from.list(Decoder::former)? })
}

impl Away {
    /// The same, its buffers and streams named by a program, which has nothing else to say: states of other programs are
    /// carried over by names.
    fn known(self, program: &Program) -> Elsewhere {
        let streams = self.streams.into_iter().zip(&self.events).map(|(name, ring)| Stream {
            name,
            size: u32::MAX,
            clock: ClockIdx::new(0),
            history: (ring.len() - 1) as u32,
        });
        let (described, buffers) = (self.buffers.into_iter().enumerate())
            .map(|(k, (name, contents))| {
                let described = Buffer { name, ty: contents.ty(), len: contents.len(), role: Role::Scratch };
                (described, (BufferId::new(k), contents))
            })
            .unzip();
        let program = Program { streams: streams.collect(), buffers: described, ..program.clone() };
        let Self { tick, latest, events, former, .. } = self;
        Elsewhere { state: State { program: Arc::new(program), tick, buffers, events, latest }, former }
    }
}

/// Holds that shapes and synapses belong to the network, so that lowering them finds what it looks for.
fn fitting(network: &Network, shapes: &[ProjectionShape], synapses: &[Arc<Synapses>]) -> io::Result<()> {
    let n = network.projections.len();
    if shapes.len() != n || synapses.len() != n {
        return Err(invalid("there are other projections in it"));
    }
    for ((projection, shape), synapses) in network.projections.iter().zip(shapes).zip(synapses) {
        let rows = synapses.rows.borrow().map_err(io::Error::other)?;
        let n_pathways = projection.pathways.len();
        // Those that are not there are made of these rows when they are needed.
        let mut delayed = synapses.delayed.iter().flatten().filter_map(|d| d.rows.if_there());
        let good = shape.n_syn == rows.n_syn()
            && (rows.n_pre(), rows.n_post()) == (projection.source.len, projection.target.len)
            && shape.longest_delay.len() == n_pathways
            && synapses.delayed.len() >= n_pathways
            && shape.former.iter().all(|f| f.pathway < n_pathways)
            && delayed.all(|d| d.n_syn() == shape.n_syn);
        if !good {
            return Err(invalid(format!("the synapses of `{}` do not fit", projection.name)));
        }
    }
    Ok(())
}

//! Values as bytes, little endian, and back. Whatever is read may be anything: no length is believed before so much has
//! come, and no number is used before it is known to be good.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Read, Write};

use neuropil_backend::{Renewable, Synapses};
use neuropil_base::ScalarType;
use neuropil_connectivity::{Csr, DelayRows, Delays, FormatChoice, Storage, Walk};
use neuropil_kernels::program::{Owner, Travel};
use neuropil_kernels::{Former, ProjectionShape};
use neuropil_memory::HostBuffer;
use neuropil_model::{ObjectId, PopulationId, ProjectionId, RecorderId, StopId};

/// Room that is made at once for a list whose length has only been claimed.
const CLAIMED: usize = 1 << 16;

pub(super) fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, message.into())
}

/// Writes values.
pub(super) struct Encoder<W> {
    pub(super) to: W,
}

impl<W: Write> Encoder<W> {
    pub(super) fn byte(&mut self, x: u8) -> io::Result<()> {
        self.to.write_all(&[x])
    }

    pub(super) fn word(&mut self, x: u64) -> io::Result<()> {
        self.to.write_all(&x.to_le_bytes())
    }

    pub(super) fn count(&mut self, n: usize) -> io::Result<()> {
        self.word(n as u64)
    }

    pub(super) fn signed(&mut self, x: i64) -> io::Result<()> {
        self.to.write_all(&x.to_le_bytes())
    }

    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        self.count(text.len())?;
        self.to.write_all(text.as_bytes())
    }

    pub(super) fn numbers(&mut self, list: &[u32]) -> io::Result<()> {
        self.count(list.len())?;
        if cfg!(target_endian = "little") {
            return self.to.write_all(bytemuck::cast_slice(list));
        }
        list.iter().try_for_each(|x| self.to.write_all(&x.to_le_bytes()))
    }

    pub(super) fn list<T>(
        &mut self,
        list: impl ExactSizeIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T) -> io::Result<()>,
    ) -> io::Result<()> {
        self.count(list.len())?;
        list.into_iter().try_for_each(|x| each(self, x))
    }

    pub(super) fn buffer(&mut self, buffer: &HostBuffer) -> io::Result<()> {
        self.text(buffer.ty().name())?;
        self.count(buffer.len())?;
        let size = buffer.ty().size();
        if cfg!(target_endian = "little") || size == 1 {
            return self.to.write_all(buffer.bytes());
        }
        buffer.bytes().chunks_exact(size).try_for_each(|element| {
            let reversed: Vec<u8> = element.iter().rev().copied().collect();
            self.to.write_all(&reversed)
        })
    }

    pub(super) fn owners(&mut self, owners: &BTreeSet<Owner>) -> io::Result<()> {
        self.list(owners.iter(), |to, owner| {
            let (kind, index) = match owner {
                Owner::Object(ObjectId::Population(id)) => (0, id.index()),
                Owner::Object(ObjectId::Projection(id)) => (1, id.index()),
                Owner::Recorder(id) => (2, id.index()),
                Owner::Stop(id) => (3, id.index()),
            };
            to.byte(kind)?;
            to.count(index)
        })
    }

    pub(super) fn former(&mut self, former: &[Former]) -> io::Result<()> {
        self.list(former.iter(), |to, Former { pathway, travel, emitted }| {
            to.count(*pathway)?;
            match travel {
                Travel::Steps(steps) => {
                    to.byte(0)?;
                    to.word(u64::from(*steps))?;
                }
                Travel::PerSynapse { pathway, longest } => {
                    to.byte(1)?;
                    to.word(u64::from(*pathway))?;
                    to.word(u64::from(*longest))?;
                }
            }
            to.signed(emitted.0)?;
            to.signed(emitted.1)
        })
    }

    pub(super) fn shape(&mut self, shape: &ProjectionShape) -> io::Result<()> {
        let ProjectionShape { n_syn, longest_delay, longest_sum_delay, former, parted } = shape;
        self.count(*n_syn)?;
        self.numbers(longest_delay)?;
        self.numbers(longest_sum_delay)?;
        self.former(former)?;
        self.byte(u8::from(*parted))
    }

    /// Synapses: their rows, and per pathway with delays the delay of each. Views are made anew from these.
    pub(super) fn synapses(&mut self, synapses: &Synapses) -> io::Result<()> {
        let Synapses { rows, columns, delayed } = synapses;
        let rows = rows.borrow().map_err(io::Error::other)?;
        let csr = rows.to_csr();
        self.text(rows.name())?;
        self.word(u64::from(csr.n_pre()))?;
        self.word(u64::from(csr.n_post()))?;
        let lengths: Vec<u32> = csr.offsets().windows(2).map(|w| (w[1] - w[0]) as u32).collect();
        self.numbers(&lengths)?;
        self.numbers(csr.targets())?;
        self.byte(u8::from(columns.is_some()))?;
        self.list(delayed.iter(), |to, sorted| match sorted {
            None => to.byte(0),
            Some(sorted) => {
                let (delays, by_pre) = delays(&*sorted.rows.borrow().map_err(io::Error::other)?, &csr);
                to.byte(if by_pre { 1 } else { 2 })?;
                to.numbers(&delays)
            }
        })
    }
}

/// The delay of each synapse, and whether rows are those of the presynaptic neurons.
fn delays(sorted: &DelayRows, csr: &Csr) -> (Vec<u32>, bool) {
    let mut delays = vec![0; csr.n_syn()];
    let mut by_pre = sorted.n_rows() == csr.n_pre();
    for row in 0..sorted.n_rows() {
        let own = if by_pre { csr.row_range(row) } else { 0..0 };
        for bucket in sorted.buckets(row) {
            for position in bucket.range {
                let synapse = sorted.synapse(position);
                by_pre &= own.contains(&synapse);
                if let Some(delay) = delays.get_mut(synapse) {
                    *delay = bucket.delay_steps;
                }
            }
        }
    }
    (delays, by_pre)
}

/// Reads values.
pub(super) struct Decoder<R> {
    pub(super) from: R,
}

impl<R: Read> Decoder<R> {
    pub(super) fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.from.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    pub(super) fn word(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.from.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    pub(super) fn signed(&mut self) -> io::Result<i64> {
        Ok(self.word()? as i64)
    }

    pub(super) fn count(&mut self) -> io::Result<usize> {
        usize::try_from(self.word()?).map_err(|_| invalid("a number is larger than memory"))
    }

    fn small(&mut self) -> io::Result<u32> {
        u32::try_from(self.word()?).map_err(|_| invalid("a number has more than 32 bits"))
    }

    /// The number of something that there are `n` of.
    pub(super) fn below(&mut self, n: usize) -> io::Result<usize> {
        let k = self.count()?;
        if k < n { Ok(k) } else { Err(invalid(format!("number {k} of {n}"))) }
    }

    pub(super) fn text(&mut self) -> io::Result<String> {
        let n = self.count()?;
        let mut bytes = Vec::new();
        (&mut self.from).take(n as u64).read_to_end(&mut bytes)?;
        if bytes.len() != n {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        String::from_utf8(bytes).map_err(|_| invalid("a name is not text"))
    }

    pub(super) fn numbers(&mut self) -> io::Result<Vec<u32>> {
        let n = self.count()?;
        let mut list: Vec<u32> = Vec::new();
        while list.len() < n {
            let first = list.len();
            list.resize(first + (n - first).min(CLAIMED), 0);
            let new = list.get_mut(first..).unwrap_or_default();
            self.from.read_exact(bytemuck::cast_slice_mut(new))?;
            new.iter_mut().for_each(|x| *x = u32::from_le(*x));
        }
        Ok(list)
    }

    pub(super) fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> io::Result<T>) -> io::Result<Vec<T>> {
        let n = self.count()?;
        let mut list = Vec::with_capacity(n.min(CLAIMED / size_of::<T>().max(1)));
        for _ in 0..n {
            list.push(each(self)?);
        }
        Ok(list)
    }

    /// The contents of a buffer that is known to have this type and length.
    pub(super) fn buffer(&mut self, ty: ScalarType, len: usize) -> io::Result<HostBuffer> {
        let (found, n) = (self.text()?, self.count()?);
        if found != ty.name() || n != len {
            return Err(invalid(format!("a buffer holds {n} of `{found}`, not {len} of `{}`", ty.name())));
        }
        let mut buffer = HostBuffer::new(ty, len);
        self.from.read_exact(buffer.bytes_mut())?;
        if ty == ScalarType::Bool && buffer.bytes().iter().any(|b| *b > 1) {
            return Err(invalid("a truth value is neither 0 nor 1"));
        }
        if cfg!(target_endian = "big") {
            buffer.bytes_mut().chunks_exact_mut(ty.size()).for_each(<[u8]>::reverse);
        }
        Ok(buffer)
    }

    /// A buffer whose type and length are only claimed.
    pub(super) fn any_buffer(&mut self, most: usize) -> io::Result<HostBuffer> {
        let (name, len) = (self.text()?, self.count()?);
        let ty = ScalarType::from_name(&name).ok_or_else(|| invalid(format!("there is no type `{name}`")))?;
        if len > most {
            return Err(invalid(format!("a buffer of {len} elements, where {most} are the most")));
        }
        self.buffer(ty, len)
    }

    pub(super) fn owners(&mut self, n_objects: (usize, usize)) -> io::Result<BTreeSet<Owner>> {
        let owners = self.list(|from| {
            Ok(match from.byte()? {
                0 => Owner::Object(ObjectId::Population(PopulationId::new(from.below(n_objects.0)?))),
                1 => Owner::Object(ObjectId::Projection(ProjectionId::new(from.below(n_objects.1)?))),
                2 => Owner::Recorder(RecorderId::new(from.small()? as usize)),
                3 => Owner::Stop(StopId::new(from.small()? as usize)),
                kind => return Err(invalid(format!("there is no kind {kind} of owner"))),
            })
        })?;
        Ok(owners.into_iter().collect())
    }

    pub(super) fn former(&mut self) -> io::Result<Vec<Former>> {
        self.list(|from| {
            let pathway = from.count()?;
            let travel = match from.byte()? {
                0 => Travel::Steps(from.small()?),
                1 => Travel::PerSynapse { pathway: from.small()?, longest: from.small()? },
                kind => return Err(invalid(format!("there is no kind {kind} of delay"))),
            };
            Ok(Former { pathway, travel, emitted: (from.signed()?, from.signed()?) })
        })
    }

    pub(super) fn shape(&mut self) -> io::Result<ProjectionShape> {
        Ok(ProjectionShape {
            n_syn: self.count()?,
            longest_delay: self.numbers()?,
            longest_sum_delay: self.numbers()?,
            former: self.former()?,
            parted: self.byte()? != 0,
        })
    }

    pub(super) fn synapses(&mut self) -> io::Result<Synapses> {
        let name = self.text()?;
        let format = FormatChoice::from_name(&name).filter(|f| *f != FormatChoice::Auto);
        let format = format.ok_or_else(|| invalid(format!("there is no format `{name}`")))?;
        let (n_pre, n_post) = (self.small()?, self.small()?);
        let mut offsets = vec![0_usize];
        let mut sum = 0_usize;
        for length in self.numbers()? {
            sum = sum.checked_add(length as usize).ok_or_else(|| invalid("too many synapses"))?;
            offsets.push(sum);
        }
        let refused = |e: neuropil_connectivity::ConnectError| invalid(e.to_string());
        let csr = Csr::from_parts(n_pre, n_post, offsets, self.numbers()?).map_err(refused)?;
        let columns = (self.byte()? > 0).then(|| csr.transpose());
        let delayed = self.list(|from| {
            let side = from.byte()?;
            if side == 0 {
                return Ok(None);
            }
            let delays = Delays::PerSynapse(from.numbers()?.into());
            let sorted = match (side, &columns) {
                (1, _) => DelayRows::by_pre(&csr, &delays),
                (2, Some(columns)) => DelayRows::by_post(columns, &delays),
                (2, None) => DelayRows::by_post(&csr.transpose(), &delays),
                (side, _) => return Err(invalid(format!("there is no side {side} of a synapse"))),
            };
            sorted.map(|sorted| Some(sorted.into())).map_err(refused)
        })?;
        let (rows, _) = Storage::choose(csr, format).map_err(refused)?;
        Ok(Synapses { rows: rows.into(), columns: columns.map(Renewable::kept), delayed })
    }
}

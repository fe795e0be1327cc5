//! Registers: linear scan over straight-line code, by next use.
//!
//! When a register is wanted and none is free, the value whose next use is furthest gives way (Belady 1966). It is
//! stored on the stack, unless it can be had again from where it came: constants and loads cost nothing to
//! forget. An operand that is in memory is read in place where the instruction can.

use iced_x86::{Code, Instruction, MemoryOperand, Register};

use super::asm::{Asm, at, broadcast, indexed};
use super::family::{Forms, form};
use super::program::{Home, Inst, Isa, Program, V, Width, header};

/// What lies on the stack below spilled values: room for lanes that are gone through one by one.
pub(super) const SCRATCH: i32 = 384;
/// Bytes of a spilled value.
const SPILL: i32 = 64;
/// Room for spilled values that a body may have.
const MOST_SPILLS: u32 = 512;

/// The table.
pub(super) const TABLE: Register = Register::RDI;
/// The pool.
pub(super) const POOL: Register = Register::RDX;
/// The number of the first element of the vector.
pub(super) const INDEX: Register = Register::RCX;
/// Registers that keep entries of the table.
pub(super) const KEPT: [Register; 7] =
    [Register::R8, Register::R11, Register::RBX, Register::R12, Register::R13, Register::R14, Register::R15];

/// Registers of a kind.
#[derive(Clone, Debug)]
struct Bank {
    holds: [Option<V>; 32],
    usable: u32,
    /// In use by the instruction that is being made.
    locked: u32,
}

impl Bank {
    fn new(usable: u32) -> Self {
        Self { holds: [None; 32], usable, locked: 0 }
    }
}

/// Gives registers to a program and writes its code down: once for full vectors, once for the rest.
pub(super) struct Emitter<'p> {
    pub(super) program: &'p Program,
    pub(super) asm: Asm,
    /// Only some lanes hold elements.
    pub(super) tail: bool,
    /// By value: the instructions that use it.
    uses: Vec<Vec<u32>>,
    /// By value: how many of them are done.
    done: Vec<u32>,
    register: Vec<Option<u8>>,
    spill: Vec<Option<u32>>,
    vectors: Bank,
    masks: Bank,
    now: u32,
    free_spills: Vec<u32>,
    /// Given back by the instruction that is being made, which may still read them.
    left_spills: Vec<u32>,
    in_use: u32,
    /// The most spilled values at a time.
    spills: u32,
    /// Entries of the table that registers keep.
    kept: Vec<(i32, Register)>,
}

impl<'p> Emitter<'p> {
    pub(super) fn new(program: &'p Program) -> Option<Self> {
        let mut uses = vec![Vec::new(); program.values.len()];
        for (k, inst) in program.insts.iter().enumerate() {
            inst.uses(|v| uses[v as usize].push(k as u32));
        }
        let n = program.values.len();
        let kept = kept(program, &uses);
        Some(Self {
            program,
            asm: Asm::new()?,
            tail: false,
            uses,
            done: vec![0; n],
            register: vec![None; n],
            spill: vec![None; n],
            vectors: Bank::new(0),
            masks: Bank::new(0),
            now: 0,
            free_spills: Vec::new(),
            left_spills: Vec::new(),
            in_use: 0,
            spills: 0,
            kept,
        })
    }

    /// Begins a body anew.
    pub(super) fn begin(&mut self, tail: bool) {
        self.tail = tail;
        self.now = 0;
        self.done.fill(0);
        self.register.fill(None);
        self.spill.fill(None);
        self.free_spills.clear();
        self.left_spills.clear();
        self.in_use = 0;
        match self.isa() {
            Isa::Avx2 => {
                self.vectors = Bank::new(0xffff);
                self.masks = Bank::new(0);
            }
            Isa::Avx512 => {
                self.vectors = Bank::new(u32::MAX);
                // k0 masks nothing, k6 and k7 are the lanes that hold elements.
                self.masks = Bank::new(0b11_1110);
            }
        }
    }

    pub(super) fn isa(&self) -> Isa {
        self.program.isa
    }

    /// Bytes of the frame.
    pub(super) fn frame(&self) -> u32 {
        SCRATCH as u32 + self.spills * SPILL as u32
    }

    pub(super) fn kept(&self) -> &[(i32, Register)] {
        &self.kept
    }

    /// Begins an instruction.
    pub(super) fn step(&mut self, now: usize) {
        self.now = now as u32;
        self.vectors.locked = 0;
        self.masks.locked = 0;
        self.free_spills.append(&mut self.left_spills);
    }

    fn bank(&mut self, mask: bool) -> &mut Bank {
        if mask { &mut self.masks } else { &mut self.vectors }
    }

    fn is_mask(&self, v: V) -> bool {
        self.program.values[v as usize].mask
    }

    pub(super) fn width_of(&self, v: V) -> Width {
        self.program.values[v as usize].width
    }

    /// The next instruction from this one on that uses a value.
    fn next_use(&mut self, v: V) -> u32 {
        let (uses, done) = (&self.uses[v as usize], &mut self.done[v as usize]);
        while uses.get(*done as usize).is_some_and(|u| *u < self.now) {
            *done += 1;
        }
        uses.get(*done as usize).copied().unwrap_or(u32::MAX)
    }

    /// Whether no later instruction uses a value.
    pub(super) fn dies(&self, v: V) -> bool {
        self.uses[v as usize].last().is_none_or(|u| *u <= self.now)
    }

    pub(super) fn is_in_register(&self, v: V) -> bool {
        self.register[v as usize].is_some()
    }

    /// A register that holds nothing, for as long as this instruction.
    pub(super) fn take(&mut self, mask: bool) -> u8 {
        let bank = self.bank(mask);
        let candidates = bank.usable & !bank.locked;
        let free = (0..32_u8).find(|r| candidates >> r & 1 != 0 && bank.holds[usize::from(*r)].is_none());
        if let Some(r) = free {
            bank.locked |= 1 << r;
            return r;
        }
        let mut worst: Option<(u32, u8)> = None;
        for r in 0..32_u8 {
            let Some(v) = self.bank(mask).holds[usize::from(r)] else { continue };
            if candidates >> r & 1 == 0 {
                continue;
            }
            let next = self.next_use(v);
            if worst.is_none_or(|(n, _)| next > n) {
                worst = Some((next, r));
            }
        }
        let Some((_, r)) = worst else {
            self.asm.fail();
            return 1;
        };
        self.evict(mask, r);
        self.bank(mask).locked |= 1 << r;
        r
    }

    fn evict(&mut self, mask: bool, r: u8) {
        let Some(v) = self.bank(mask).holds[usize::from(r)].take() else { return };
        self.register[v as usize] = None;
        let homeless = self.program.values[v as usize].home.is_none() && self.spill[v as usize].is_none();
        if !homeless || self.next_use(v) == u32::MAX {
            return;
        }
        let slot = self.free_spills.pop().unwrap_or(self.in_use);
        self.in_use = self.in_use.max(slot + 1);
        self.spills = self.spills.max(self.in_use);
        if self.spills > MOST_SPILLS {
            self.asm.fail();
        }
        self.spill[v as usize] = Some(slot);
        let to = Self::spilled(slot);
        if mask {
            self.asm.mr(Code::VEX_Kmovw_m16_kr, to, Register::K0 + u32::from(r));
        } else {
            let width = self.width_of(v);
            self.store_vector(to, width, r);
        }
    }

    fn spilled(slot: u32) -> MemoryOperand {
        at(Register::RSP, SCRATCH + slot as i32 * SPILL)
    }

    /// A vector to memory, whole.
    pub(super) fn store_vector(&mut self, to: MemoryOperand, width: Width, r: u8) {
        let first = match self.isa() {
            Isa::Avx2 => Code::VEX_Vmovups_xmmm128_xmm,
            Isa::Avx512 => Code::EVEX_Vmovups_xmmm128_k1z_xmm,
        };
        match form(first, width as usize) {
            Some(code) => self.asm.mr(code, to, vector(width, r)),
            None => self.asm.fail(),
        }
    }

    /// A vector from memory, whole.
    pub(super) fn load_vector(&mut self, from: MemoryOperand, width: Width, r: u8) {
        let first = match self.isa() {
            Isa::Avx2 => Code::VEX_Vmovups_xmm_xmmm128,
            Isa::Avx512 => Code::EVEX_Vmovups_xmm_k1z_xmmm128,
        };
        match form(first, width as usize) {
            Some(code) => self.asm.rm(code, vector(width, r), from),
            None => self.asm.fail(),
        }
    }

    /// One element in all lanes.
    fn load_broadcast(&mut self, from: MemoryOperand, width: Width, size: u8, r: u8) {
        let (first, narrowest) = match (self.isa(), size) {
            (Isa::Avx2, 4) => (Code::VEX_Vbroadcastss_xmm_m32, Width::X),
            (Isa::Avx2, _) => (Code::VEX_Vbroadcastsd_ymm_m64, Width::Y),
            (Isa::Avx512, 4) => (Code::EVEX_Vbroadcastss_xmm_k1z_xmmm32, Width::X),
            (Isa::Avx512, _) => (Code::EVEX_Vbroadcastsd_ymm_k1z_xmmm64, Width::Y),
        };
        match (width as usize).checked_sub(narrowest as usize).and_then(|steps| form(first, steps)) {
            Some(code) => self.asm.rm(code, vector(width, r), from),
            None => self.asm.fail(),
        }
    }

    /// An entry of the table in a register, for the next instruction.
    pub(super) fn pointer(&mut self, entry: i32) -> Register {
        if let Some((_, register)) = self.kept.iter().find(|(e, _)| *e == entry) {
            return *register;
        }
        self.asm.rm(Code::Mov_r64_rm64, Register::RAX, at(TABLE, entry));
        Register::RAX
    }

    /// The elements of this vector, or of a part of it, in a stream.
    pub(super) fn stream(&mut self, entry: i32, part: u8, size: u8) -> MemoryOperand {
        let pointer = self.pointer(entry);
        indexed(pointer, INDEX, size, i32::from(part) * self.isa().bytes() as i32)
    }

    fn base(pool: bool) -> Register {
        if pool { POOL } else { TABLE }
    }

    /// Reads a home into a register.
    pub(super) fn load_home(&mut self, home: Home, mask: bool, width: Width, r: u8) {
        match home {
            Home::Splat { pool, at: offset, .. } if mask => {
                self.asm.rm(
                    Code::VEX_Kmovw_kr_km16,
                    Register::K0 + u32::from(r),
                    at(Self::base(pool), offset),
                );
            }
            Home::Splat { pool, at: offset, size } => {
                let from = at(Self::base(pool), offset);
                match self.isa() {
                    Isa::Avx2 => self.load_vector(from, width, r),
                    Isa::Avx512 => self.load_broadcast(from, width, size, r),
                }
            }
            Home::Vector { at: offset } => self.load_vector(at(POOL, offset), width, r),
            Home::Same { entry, size } => {
                let pointer = self.pointer(entry);
                self.load_broadcast(at(pointer, 0), width, size, r);
            }
            Home::Stream { entry, part, size } => {
                let from = self.stream(entry, part, size);
                if self.tail {
                    self.load_some(from, width, part, size, r)
                } else {
                    self.load_vector(from, width, r)
                }
            }
        }
    }

    /// The lanes that hold elements; zeros in the others.
    fn load_some(&mut self, from: MemoryOperand, width: Width, part: u8, size: u8, r: u8) {
        let dst = vector(width, r);
        match self.isa() {
            Isa::Avx2 => {
                // The mask goes where the result will be.
                let ones = if size == 4 { header::ONES32 } else { header::ONES64 + i32::from(part) * 32 };
                self.load_vector(at(TABLE, ones), width, r);
                let first = if size == 4 {
                    Code::VEX_Vmaskmovps_xmm_xmm_m128
                } else {
                    Code::VEX_Vmaskmovpd_xmm_xmm_m128
                };
                match form(first, width as usize) {
                    Some(code) => self.asm.put(Instruction::with3(code, dst, dst, from)),
                    None => self.asm.fail(),
                }
            }
            Isa::Avx512 => {
                let first = if size == 4 {
                    Code::EVEX_Vmovups_xmm_k1z_xmmm128
                } else {
                    Code::EVEX_Vmovupd_xmm_k1z_xmmm128
                };
                let Some(code) = form(first, width as usize) else {
                    self.asm.fail();
                    return;
                };
                let instruction = Instruction::with2(code, dst, from).map(|mut i| {
                    i.set_op_mask(holding(part));
                    i.set_zeroing_masking(true);
                    i
                });
                self.asm.put(instruction);
            }
        }
    }

    /// Stores the lanes that hold elements.
    pub(super) fn store_some(&mut self, to: MemoryOperand, width: Width, part: u8, size: u8, r: u8) {
        match self.isa() {
            Isa::Avx2 => {
                let ones = if size == 4 { header::ONES32 } else { header::ONES64 + i32::from(part) * 32 };
                let mask = self.take(false);
                self.load_vector(at(TABLE, ones), width, mask);
                let first = if size == 4 {
                    Code::VEX_Vmaskmovps_m128_xmm_xmm
                } else {
                    Code::VEX_Vmaskmovpd_m128_xmm_xmm
                };
                match form(first, width as usize) {
                    Some(code) => {
                        self.asm.put(Instruction::with3(code, to, vector(width, mask), vector(width, r)));
                    }
                    None => self.asm.fail(),
                }
            }
            Isa::Avx512 => {
                let first = if size == 4 {
                    Code::EVEX_Vmovups_xmmm128_k1z_xmm
                } else {
                    Code::EVEX_Vmovupd_xmmm128_k1z_xmm
                };
                let Some(code) = form(first, width as usize) else {
                    self.asm.fail();
                    return;
                };
                let instruction = Instruction::with2(code, to, vector(width, r)).map(|mut i| {
                    i.set_op_mask(holding(part));
                    i
                });
                self.asm.put(instruction);
            }
        }
    }

    /// A value in a register, loaded if it is not in one.
    pub(super) fn read(&mut self, v: V) -> u8 {
        let mask = self.is_mask(v);
        if let Some(r) = self.register[v as usize] {
            self.bank(mask).locked |= 1 << r;
            return r;
        }
        let r = self.copy(v);
        self.bind(v, r);
        r
    }

    /// A value that is in memory, in a register that may be overwritten.
    pub(super) fn copy(&mut self, v: V) -> u8 {
        let mask = self.is_mask(v);
        let r = self.take(mask);
        let value = self.program.values[v as usize];
        match (self.spill[v as usize], value.home) {
            (Some(slot), _) if mask => {
                self.asm.rm(Code::VEX_Kmovw_kr_km16, Register::K0 + u32::from(r), Self::spilled(slot));
            }
            (Some(slot), _) => self.load_vector(Self::spilled(slot), value.width, r),
            (None, Some(home)) => self.load_home(home, mask, value.width, r),
            // Every value was computed or can be loaded.
            (None, None) => self.asm.fail(),
        }
        r
    }

    /// The register now holds the value.
    pub(super) fn bind(&mut self, v: V, r: u8) {
        let mask = self.is_mask(v);
        self.bank(mask).holds[usize::from(r)] = Some(v);
        self.register[v as usize] = Some(r);
    }

    /// Whether the last operand of an instruction can be read in place.
    pub(super) fn folds(&self, v: V, forms: &Forms, width: Width) -> bool {
        let value = self.program.values[v as usize];
        if self.is_in_register(v) || !forms.folds || value.mask {
            return false;
        }
        if self.spill[v as usize].is_some() {
            return value.width.bytes() >= width.bytes();
        }
        match value.home {
            Some(Home::Splat { size, .. }) => self.isa() == Isa::Avx2 || size == forms.broadcast,
            Some(Home::Vector { .. }) => value.width.bytes() >= width.bytes(),
            Some(Home::Stream { .. }) => !self.tail && value.width.bytes() >= width.bytes(),
            Some(Home::Same { size, .. }) => self.isa() == Isa::Avx512 && size == forms.broadcast,
            None => false,
        }
    }

    /// Where it is read in place.
    pub(super) fn memory(&mut self, v: V) -> MemoryOperand {
        if let Some(slot) = self.spill[v as usize] {
            return Self::spilled(slot);
        }
        match self.program.values[v as usize].home {
            Some(Home::Splat { pool, at: offset, .. }) => {
                let memory = at(Self::base(pool), offset);
                if self.isa() == Isa::Avx512 { broadcast(memory) } else { memory }
            }
            Some(Home::Vector { at: offset }) => at(POOL, offset),
            Some(Home::Stream { entry, part, size }) => self.stream(entry, part, size),
            Some(Home::Same { entry, .. }) => {
                let pointer = self.pointer(entry);
                broadcast(at(pointer, 0))
            }
            None => {
                self.asm.fail();
                at(TABLE, 0)
            }
        }
    }

    /// Frees what this instruction was the last to use.
    pub(super) fn release(&mut self, v: V) {
        if !self.dies(v) {
            return;
        }
        let mask = self.is_mask(v);
        if let Some(r) = self.register[v as usize].take() {
            let bank = self.bank(mask);
            bank.holds[usize::from(r)] = None;
            bank.locked &= !(1 << r);
        }
        if let Some(slot) = self.spill[v as usize].take() {
            self.left_spills.push(slot);
        }
    }

    /// The value gives up its register, which will be overwritten.
    pub(super) fn give_up(&mut self, v: V) {
        let mask = self.is_mask(v);
        if let Some(r) = self.register[v as usize].take() {
            self.bank(mask).holds[usize::from(r)] = None;
        }
    }
}

/// The mask of the lanes that hold elements.
pub(super) fn holding(part: u8) -> Register {
    if part == 0 { Register::K7 } else { Register::K6 }
}

/// A vector register.
pub(super) fn vector(width: Width, r: u8) -> Register {
    let first = match width {
        Width::X => Register::XMM0,
        Width::Y => Register::YMM0,
        Width::Z => Register::ZMM0,
    };
    first + u32::from(r)
}

/// The entries that are worth a register: those used most.
fn kept(program: &Program, uses: &[Vec<u32>]) -> Vec<(i32, Register)> {
    let mut counts: Vec<(i32, usize)> = Vec::new();
    let mut count = |entry: i32, n: usize| match counts.iter_mut().find(|(e, _)| *e == entry) {
        Some((_, sum)) => *sum += n,
        None => counts.push((entry, n)),
    };
    for (value, uses) in program.values.iter().zip(uses) {
        match value.home {
            Some(Home::Stream { entry, .. } | Home::Same { entry, .. }) if !uses.is_empty() => {
                count(entry, uses.len());
            }
            Some(_) | None => {}
        }
    }
    for inst in &program.insts {
        match inst {
            Inst::Load { from: Home::Stream { entry, .. } | Home::Same { entry, .. }, .. }
            | Inst::Store { entry, .. }
            | Inst::LoadBytes { entry, .. }
            | Inst::StoreBytes { entry, .. }
            | Inst::SplatByte { entry, .. }
            | Inst::Gather { entry, .. } => count(*entry, 1),
            Inst::Load { .. }
            | Inst::Plain(_)
            | Inst::Fma { .. }
            | Inst::Ramp { .. }
            | Inst::Fetch { .. }
            | Inst::GatherBytes { .. }
            | Inst::Each { .. }
            | Inst::Emit { .. }
            | Inst::Serial { .. } => {}
        }
    }
    counts.sort_by_key(|(entry, n)| (std::cmp::Reverse(*n), *entry));
    counts.into_iter().map(|(entry, _)| entry).zip(KEPT).collect()
}

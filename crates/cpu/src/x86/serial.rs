//! Instructions that go through lanes one by one: effects at scattered places, events, what vectors cannot do.
//!
//! They use `rax`, `rsi`, `r9` and `r10`, and the scratch below spilled values: values at its start, places
//! after 128 bytes, results after 256.

use iced_x86::{Code, Instruction, MemoryOperand, Register};
use neuropil_ir::Accumulation;

use super::allocate::{Emitter, INDEX, POOL, TABLE, vector};
use super::asm::{Asm, Label, When, at, indexed};
use super::program::{Cell, Effect, Isa, Place, Serial, V, Width, header};

use Register::{EAX, ESI, R9, R10, RAX, RSI, RSP};

/// Elements that are gathered are fetched so many before: more than are in flight anyway, few enough to be in the first-level
/// cache still when they are wanted.
const AHEAD: i32 = 64;
const PLACES: i32 = 128;
const RESULTS: i32 = 256;

/// Which lane is at work.
#[derive(Clone, Copy, Debug)]
enum Lane {
    /// The one that `r10` counts.
    Current,
    /// This one.
    Known(i32),
}

impl Lane {
    /// Its element in the scratch, of that size.
    fn memory(self, size: u8, offset: i32) -> MemoryOperand {
        match self {
            Self::Current => indexed(RSP, R10, size, offset),
            Self::Known(k) => at(RSP, offset + k * i32::from(size)),
        }
    }
}

/// The instructions for one float.
struct Floats {
    load: Code,
    store: Code,
    add: Code,
    min: Code,
    max: Code,
}

impl Floats {
    fn new(isa: Isa, double: bool) -> Self {
        match (isa, double) {
            (Isa::Avx2, false) => Self {
                load: Code::VEX_Vmovss_xmm_m32,
                store: Code::VEX_Vmovss_m32_xmm,
                add: Code::VEX_Vaddss_xmm_xmm_xmmm32,
                min: Code::VEX_Vminss_xmm_xmm_xmmm32,
                max: Code::VEX_Vmaxss_xmm_xmm_xmmm32,
            },
            (Isa::Avx2, true) => Self {
                load: Code::VEX_Vmovsd_xmm_m64,
                store: Code::VEX_Vmovsd_m64_xmm,
                add: Code::VEX_Vaddsd_xmm_xmm_xmmm64,
                min: Code::VEX_Vminsd_xmm_xmm_xmmm64,
                max: Code::VEX_Vmaxsd_xmm_xmm_xmmm64,
            },
            (Isa::Avx512, false) => Self {
                load: Code::EVEX_Vmovss_xmm_k1z_m32,
                store: Code::EVEX_Vmovss_m32_k1_xmm,
                add: Code::EVEX_Vaddss_xmm_k1z_xmm_xmmm32_er,
                min: Code::EVEX_Vminss_xmm_k1z_xmm_xmmm32_sae,
                max: Code::EVEX_Vmaxss_xmm_k1z_xmm_xmmm32_sae,
            },
            (Isa::Avx512, true) => Self {
                load: Code::EVEX_Vmovsd_xmm_k1z_m64,
                store: Code::EVEX_Vmovsd_m64_k1_xmm,
                add: Code::EVEX_Vaddsd_xmm_k1z_xmm_xmmm64_er,
                min: Code::EVEX_Vminsd_xmm_k1z_xmm_xmmm64_sae,
                max: Code::EVEX_Vmaxsd_xmm_k1z_xmm_xmmm64_sae,
            },
        }
    }
}

impl Emitter<'_> {
    /// Copies the bytes of the lanes that hold elements.
    pub(super) fn copy_bytes(&mut self, from: Register, to: Register) {
        let asm = &mut self.asm;
        asm.rr(Code::Xor_r32_rm32, Register::R10D, Register::R10D);
        let top = asm.here();
        asm.rm(Code::Movzx_r32_rm8, EAX, indexed(from, R10, 1, 0));
        asm.mr(Code::Mov_rm8_r8, indexed(to, R10, 1, 0), Register::AL);
        self.next_lane(top);
    }

    /// Goes on with the next lane that holds an element.
    fn next_lane(&mut self, top: Label) {
        let asm = &mut self.asm;
        asm.put(Instruction::with1(Code::Inc_rm64, R10));
        if self.tail {
            asm.rm(Code::Cmp_r64_rm64, R10, at(TABLE, header::TAIL));
        } else {
            asm.put(Instruction::with2(Code::Cmp_rm64_imm8, R10, self.program.lanes as i32));
        }
        asm.jump_if(When::Below, top);
    }

    /// Registers to the scratch, one after the other.
    fn lay_down(&mut self, list: &[V], offset: i32) {
        let step = self.isa().bytes() as i32;
        for (part, v) in list.iter().enumerate() {
            let r = self.read(*v);
            let width = self.width_of(*v);
            self.store_vector(Self::scratch(offset + part as i32 * step), width, r);
        }
    }

    /// One byte per lane, from places that lie inside.
    pub(super) fn gather_bytes(&mut self, dst: V, entry: i32, index: V) {
        self.lay_down(&[index], PLACES);
        self.release(index);
        let r = self.take(false);
        let lanes = self.program.lanes as i32;
        let asm = &mut self.asm;
        asm.rm(Code::Mov_r64_rm64, R9, at(TABLE, entry));
        asm.rr(Code::Xor_r32_rm32, Register::R10D, Register::R10D);
        let top = asm.here();
        asm.rm(Code::Mov_r32_rm32, EAX, indexed(RSP, R10, 4, PLACES));
        asm.rm(Code::Movzx_r32_rm8, EAX, indexed(R9, RAX, 1, 0));
        asm.mr(Code::Mov_rm8_r8, indexed(RSP, R10, 1, 0), Register::AL);
        // Places of lanes that hold no element are good too.
        asm.put(Instruction::with1(Code::Inc_rm64, R10));
        asm.put(Instruction::with2(Code::Cmp_rm64_imm8, R10, lanes));
        asm.jump_if(When::Below, top);
        self.load_vector(Self::scratch(0), Width::X, r);
        self.bind(dst, r);
    }

    /// Fetches the elements of a vector to come, or of the last full one, by their places in a list.
    pub(super) fn fetch(&mut self, (base, size): (i32, u8), (list, long): (i32, bool)) {
        if self.tail {
            return;
        }
        let lanes = self.program.lanes as i32;
        let asm = &mut self.asm;
        asm.rm(Code::Mov_r64_rm64, RAX, at(TABLE, header::FULL));
        asm.put(Instruction::with2(Code::Sub_rm64_imm8, RAX, lanes));
        asm.rm(Code::Lea_r64_m, R10, at(INDEX, AHEAD));
        asm.rr(Code::Cmp_r64_rm64, R10, RAX);
        asm.rr(Code::Cmova_r64_rm64, R10, RAX);
        asm.rm(Code::Mov_r64_rm64, R9, at(TABLE, list));
        asm.rm(Code::Mov_r64_rm64, RSI, at(TABLE, base));
        for k in 0..lanes {
            if long {
                asm.rm(Code::Mov_r64_rm64, RAX, indexed(R9, R10, 8, 8 * k));
            } else {
                asm.rm(Code::Mov_r32_rm32, EAX, indexed(R9, R10, 4, 4 * k));
            }
            asm.put(Instruction::with1(Code::Prefetcht0_m8, indexed(RSI, RAX, size, 0)));
        }
    }

    /// The place of a lane into `rax`. Lists are at `r10` for a lane that is known.
    fn lane_place(&mut self, place: Place, lane: Lane) {
        let asm = &mut self.asm;
        match (place, lane) {
            (Place::List32(entry), Lane::Current) => {
                asm.rm(Code::Mov_r64_rm64, RSI, at(TABLE, entry));
                asm.rm(Code::Lea_r64_m, RAX, indexed(INDEX, R10, 1, 0));
                asm.rm(Code::Mov_r32_rm32, EAX, indexed(RSI, RAX, 4, 0));
            }
            (Place::List64(entry), Lane::Current) => {
                asm.rm(Code::Mov_r64_rm64, RSI, at(TABLE, entry));
                asm.rm(Code::Lea_r64_m, RAX, indexed(INDEX, R10, 1, 0));
                asm.rm(Code::Mov_r64_rm64, RAX, indexed(RSI, RAX, 8, 0));
            }
            (Place::List32(_), Lane::Known(k)) => {
                asm.rm(Code::Mov_r32_rm32, EAX, indexed(R10, INDEX, 4, 4 * k));
            }
            (Place::List64(_), Lane::Known(k)) => {
                asm.rm(Code::Mov_r64_rm64, RAX, indexed(R10, INDEX, 8, 8 * k));
            }
            (Place::From(entry), lane) => {
                asm.rm(Code::Mov_r64_rm64, RAX, at(TABLE, entry));
                asm.rr(Code::Add_r64_rm64, RAX, INDEX);
                match lane {
                    Lane::Current => asm.rr(Code::Add_r64_rm64, RAX, R10),
                    Lane::Known(k) => asm.put(Instruction::with2(Code::Add_rm64_imm8, RAX, k)),
                }
            }
            (Place::Same(entry), _) => asm.rm(Code::Mov_r64_rm64, RAX, at(TABLE, entry)),
            (Place::First, _) => asm.rr(Code::Xor_r32_rm32, EAX, EAX),
            (Place::Values32(_), lane) => asm.rm(Code::Movsxd_r64_rm32, RAX, lane.memory(4, PLACES)),
            (Place::Values64(_), lane) => asm.rm(Code::Mov_r64_rm64, RAX, lane.memory(8, PLACES)),
        }
    }

    /// An effect on each element in order.
    pub(super) fn each(
        &mut self,
        base: i32,
        len: i32,
        place: Place,
        (effect, cell): (Effect, Cell),
        value: &[V],
    ) {
        self.lay_down(value, 0);
        let parts = self.program.lanes * 8 / self.isa().bytes();
        match place {
            Place::Values32(v) => self.lay_down(&[v], PLACES),
            Place::Values64(list) => self.lay_down(&list[..parts.clamp(1, 2)], PLACES),
            Place::List32(_) | Place::List64(_) | Place::From(_) | Place::Same(_) | Place::First => {}
        }
        let temporary = self.take(false);
        self.asm.rm(Code::Mov_r64_rm64, R9, at(TABLE, base));
        if let (Place::Same(_) | Place::First, Effect::Accumulate(with), Cell::F32 | Cell::F64) =
            (place, effect, cell)
        {
            self.reduce(len, place, (with, cell), temporary);
        } else if self.tail {
            self.asm.rr(Code::Xor_r32_rm32, Register::R10D, Register::R10D);
            let top = self.asm.here();
            self.one(len, place, (effect, cell), temporary, Lane::Current);
            self.next_lane(top);
        } else {
            if let Place::List32(entry) | Place::List64(entry) = place {
                self.asm.rm(Code::Mov_r64_rm64, R10, at(TABLE, entry));
            }
            for k in 0..self.program.lanes as i32 {
                self.one(len, place, (effect, cell), temporary, Lane::Known(k));
            }
        }
        value.iter().for_each(|v| self.release(*v));
        match place {
            Place::Values32(v) => self.release(v),
            Place::Values64(list) => list.iter().for_each(|v| self.release(*v)),
            Place::List32(_) | Place::List64(_) | Place::From(_) | Place::Same(_) | Place::First => {}
        }
    }

    /// The effect on one element, unless its place lies outside.
    fn one(&mut self, len: i32, place: Place, (effect, cell): (Effect, Cell), temporary: u8, lane: Lane) {
        let next = self.asm.label();
        self.lane_place(place, lane);
        // Negative places are large ones too.
        self.asm.rm(Code::Cmp_r64_rm64, RAX, at(TABLE, len));
        self.asm.jump_if(When::AboveOrEqual, next);
        match cell {
            Cell::F32 | Cell::F64 => self.float_effect(effect, cell, temporary, lane),
            Cell::Byte | Cell::I32 | Cell::I64 => self.integer_effect(effect, cell, next, lane),
        }
        self.asm.bind(next);
    }

    /// Combines all lanes into one element, in their order, with the element in a register meanwhile.
    fn reduce(&mut self, len: i32, place: Place, (with, cell): (Accumulation, Cell), sum: u8) {
        let value = self.take(false);
        let (x, y) = (vector(Width::X, sum), vector(Width::X, value));
        let codes = Floats::new(self.isa(), cell == Cell::F64);
        let size = cell.size();
        let element = indexed(R9, RAX, size, 0);
        let next = self.asm.label();
        self.lane_place(place, Lane::Known(0));
        let asm = &mut self.asm;
        asm.rm(Code::Cmp_r64_rm64, RAX, at(TABLE, len));
        asm.jump_if(When::AboveOrEqual, next);
        asm.rm(codes.load, x, element);
        let step = |asm: &mut Asm, lane: Lane| {
            let from = lane.memory(size, 0);
            match with {
                Accumulation::Add => asm.put(Instruction::with3(codes.add, x, x, from)),
                Accumulation::Min => {
                    asm.rm(codes.load, y, from);
                    asm.put(Instruction::with3(codes.min, x, y, x));
                }
                Accumulation::Max => {
                    asm.rm(codes.load, y, from);
                    asm.put(Instruction::with3(codes.max, x, y, x));
                }
            }
        };
        if self.tail {
            asm.rr(Code::Xor_r32_rm32, Register::R10D, Register::R10D);
            let top = asm.here();
            step(asm, Lane::Current);
            self.next_lane(top);
        } else {
            (0..self.program.lanes as i32).for_each(|k| step(asm, Lane::Known(k)));
        }
        self.asm.mr(codes.store, element, x);
        self.asm.bind(next);
    }

    fn float_effect(&mut self, effect: Effect, cell: Cell, temporary: u8, lane: Lane) {
        let codes = Floats::new(self.isa(), cell == Cell::F64);
        let size = cell.size();
        let (element, value) = (indexed(R9, RAX, size, 0), lane.memory(size, 0));
        let x = vector(Width::X, temporary);
        let asm = &mut self.asm;
        asm.rm(codes.load, x, value);
        match effect {
            Effect::Store => {}
            Effect::Accumulate(Accumulation::Add) => asm.put(Instruction::with3(codes.add, x, x, element)),
            // The old element wins unless the new value is less, or more.
            Effect::Accumulate(Accumulation::Min) => asm.put(Instruction::with3(codes.min, x, x, element)),
            Effect::Accumulate(Accumulation::Max) => asm.put(Instruction::with3(codes.max, x, x, element)),
        }
        asm.mr(codes.store, element, x);
    }

    fn integer_effect(&mut self, effect: Effect, cell: Cell, next: Label, lane: Lane) {
        let size = cell.size();
        let (element, value) = (indexed(R9, RAX, size, 0), lane.memory(size, 0));
        let asm = &mut self.asm;
        if cell == Cell::Byte {
            asm.rm(Code::Movzx_r32_rm8, ESI, value);
            asm.mr(Code::Mov_rm8_r8, element, Register::SIL);
            return;
        }
        let long = cell == Cell::I64;
        let register = if long { RSI } else { ESI };
        let of = |long_code, code| if long { long_code } else { code };
        asm.rm(of(Code::Mov_r64_rm64, Code::Mov_r32_rm32), register, value);
        let keeps = match effect {
            Effect::Accumulate(Accumulation::Add) => {
                asm.mr(of(Code::Add_rm64_r64, Code::Add_rm32_r32), element, register);
                return;
            }
            Effect::Store => None,
            Effect::Accumulate(Accumulation::Min) => Some(When::GreaterOrEqual),
            Effect::Accumulate(Accumulation::Max) => Some(When::LessOrEqual),
        };
        if let Some(keeps) = keeps {
            asm.rm(of(Code::Cmp_r64_rm64, Code::Cmp_r32_rm32), register, element);
            asm.jump_if(keeps, next);
        }
        asm.mr(of(Code::Mov_rm64_r64, Code::Mov_rm32_r32), element, register);
    }

    /// Appends the numbers of the elements whose lanes are set to the events.
    pub(super) fn emit(&mut self, mask: V, place: Place) {
        let r = self.read(mask);
        match self.isa() {
            Isa::Avx512 => {
                self.asm.rr(Code::VEX_Kmovw_r32_kr, EAX, Register::K0 + u32::from(r));
                if self.program.lanes == 8 {
                    self.asm.rr(Code::Movzx_r32_rm8, EAX, Register::AL);
                }
            }
            Isa::Avx2 => {
                let width = self.width_of(mask);
                let code = match width {
                    Width::X => Code::VEX_Vmovmskps_r32_xmm,
                    Width::Y | Width::Z => Code::VEX_Vmovmskps_r32_ymm,
                };
                self.asm.rr(code, EAX, vector(width, r));
            }
        }
        self.release(mask);
        let asm = &mut self.asm;
        if self.tail {
            asm.rm(Code::And_r32_rm32, EAX, at(TABLE, header::BITS));
        }
        let done = asm.label();
        asm.rr(Code::Test_rm32_r32, EAX, EAX);
        asm.jump_if(When::Equal, done);
        asm.rm(Code::Mov_r64_rm64, R9, at(TABLE, header::EVENTS));
        let top = asm.here();
        asm.rr(Code::Bsf_r32_rm32, Register::R10D, EAX);
        asm.rm(Code::Lea_r32_m, ESI, at(RAX, -1));
        asm.rr(Code::And_r32_rm32, EAX, ESI);
        asm.rr(Code::Add_r64_rm64, R10, INDEX);
        match place {
            Place::List32(entry) => {
                asm.rm(Code::Mov_r64_rm64, RSI, at(TABLE, entry));
                asm.rm(Code::Mov_r32_rm32, ESI, indexed(RSI, R10, 4, 0));
            }
            Place::List64(entry) => {
                asm.rm(Code::Mov_r64_rm64, RSI, at(TABLE, entry));
                asm.rm(Code::Mov_r32_rm32, ESI, indexed(RSI, R10, 8, 0));
            }
            Place::From(entry) => {
                asm.rm(Code::Mov_r32_rm32, ESI, at(TABLE, entry));
                asm.rr(Code::Add_r32_rm32, ESI, Register::R10D);
            }
            Place::Same(entry) => asm.rm(Code::Mov_r32_rm32, ESI, at(TABLE, entry)),
            // Own numbers are never computed.
            Place::First | Place::Values32(_) | Place::Values64(_) => {}
        }
        asm.mr(Code::Mov_rm32_r32, at(R9, 0), ESI);
        asm.put(Instruction::with2(Code::Add_rm64_imm8, R9, 4));
        asm.rr(Code::Test_rm32_r32, EAX, EAX);
        asm.jump_if(When::NotEqual, top);
        asm.mr(Code::Mov_rm64_r64, at(TABLE, header::EVENTS), R9);
        asm.bind(done);
    }

    /// What vectors cannot do, lane by lane, for one register.
    pub(super) fn serial(&mut self, op: Serial, dst: V, a: V, b: Option<V>) {
        self.lay_down(&[a], 0);
        if let Some(b) = b {
            self.lay_down(&[b], PLACES);
        }
        self.release(a);
        b.iter().for_each(|b| self.release(*b));
        let r = self.take(false);
        let x = vector(Width::X, r);
        let lanes = (self.isa().bytes() / 8) as i32;
        let asm = &mut self.asm;
        asm.rr(Code::Xor_r32_rm32, Register::R10D, Register::R10D);
        let top = asm.here();
        let (value, result) = (indexed(RSP, R10, 8, 0), indexed(RSP, R10, 8, RESULTS));
        match op {
            Serial::Truncate => {
                asm.rm(Code::VEX_Vcvttsd2si_r64_xmmm64, RAX, value);
                asm.mr(Code::Mov_rm64_r64, result, RAX);
            }
            Serial::Single => {
                asm.put(Instruction::with3(Code::VEX_Vxorps_xmm_xmm_xmmm128, x, x, x));
                asm.put(Instruction::with3(Code::VEX_Vcvtsi2ss_xmm_xmm_rm64, x, x, value));
                asm.mr(Code::VEX_Vmovss_m32_xmm, indexed(RSP, R10, 4, RESULTS), x);
            }
            Serial::Div | Serial::Rem => self.divide(op),
        }
        let asm = &mut self.asm;
        asm.put(Instruction::with1(Code::Inc_rm64, R10));
        asm.put(Instruction::with2(Code::Cmp_rm64_imm8, R10, lanes));
        asm.jump_if(When::Below, top);
        if matches!(op, Serial::Div | Serial::Rem) {
            // The division took the register of the pool.
            asm.rm(Code::Mov_r64_rm64, POOL, at(TABLE, header::POOL));
        }
        let width = self.width_of(dst);
        self.load_vector(Self::scratch(RESULTS), width, r);
        self.bind(dst, r);
    }

    /// The quotient rounded down or the rest, of the current lane; 0 where the divisor is 0.
    fn divide(&mut self, op: Serial) {
        use Register::{R9D, RDX};
        let asm = &mut self.asm;
        let (minus, done) = (asm.label(), asm.label());
        asm.rr(Code::Xor_r32_rm32, R9D, R9D);
        asm.rm(Code::Mov_r64_rm64, RSI, indexed(RSP, R10, 8, PLACES));
        asm.rm(Code::Mov_r64_rm64, RAX, indexed(RSP, R10, 8, 0));
        asm.rr(Code::Test_rm64_r64, RSI, RSI);
        asm.jump_if(When::Equal, done);
        // The machine stops at the smallest number divided by -1.
        asm.put(Instruction::with2(Code::Cmp_rm64_imm8, RSI, -1));
        asm.jump_if(When::Equal, minus);
        asm.put(Ok(Instruction::with(Code::Cqo)));
        asm.put(Instruction::with1(Code::Idiv_rm64, RSI));
        if op == Serial::Div {
            let exact = asm.label();
            asm.rr(Code::Mov_r64_rm64, R9, RAX);
            asm.rr(Code::Test_rm64_r64, RDX, RDX);
            asm.jump_if(When::Equal, exact);
            asm.rr(Code::Xor_r64_rm64, RDX, RSI);
            asm.jump_if(When::NotSign, exact);
            asm.put(Instruction::with1(Code::Dec_rm64, R9));
            asm.bind(exact);
        } else {
            asm.rr(Code::Mov_r64_rm64, R9, RDX);
            asm.rr(Code::Test_rm64_r64, RDX, RDX);
            asm.jump_if(When::Equal, done);
            asm.rr(Code::Xor_r64_rm64, RDX, RSI);
            asm.jump_if(When::NotSign, done);
            asm.rr(Code::Add_r64_rm64, R9, RSI);
        }
        asm.jump(done);
        asm.bind(minus);
        if op == Serial::Div {
            asm.put(Instruction::with1(Code::Neg_rm64, RAX));
            asm.rr(Code::Mov_r64_rm64, R9, RAX);
        }
        asm.bind(done);
        asm.mr(Code::Mov_rm64_r64, indexed(RSP, R10, 8, RESULTS), R9);
    }
}

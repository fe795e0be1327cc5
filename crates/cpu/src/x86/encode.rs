//! From instructions with registers to machine code: the frame, the two bodies, and every instruction but those
//! that go through lanes one by one.

use iced_x86::{Code, Instruction, MemoryOperand, Register};

use super::allocate::{Emitter, INDEX, POOL, SCRATCH, TABLE, holding, vector};
use super::asm::{When, at};
use super::family::{Family, Fused, Size, code, form, fused};
use super::program::{Inst, Isa, Plain, Program, V, Width, header};

/// Registers that the caller wants back.
const SAVED: [Register; 5] = [Register::RBX, Register::R12, Register::R13, Register::R14, Register::R15];

/// The machine code of a program: a function of the table's address, by the System V convention.
pub(super) fn encode(program: &Program) -> Option<Vec<u8>> {
    let mut emitter = Emitter::new(program)?;
    emitter.prologue();
    let asm = &mut emitter.asm;
    let (tail, end) = (asm.label(), asm.label());
    asm.put(Instruction::with2(Code::Cmp_rm64_imm8, at(TABLE, header::FULL), 0));
    asm.jump_if(When::Equal, tail);
    asm.align();
    let top = asm.here();
    emitter.body(false);
    let asm = &mut emitter.asm;
    asm.put(Instruction::with2(Code::Add_rm64_imm8, INDEX, program.lanes as i32));
    asm.rm(Code::Cmp_r64_rm64, INDEX, at(TABLE, header::FULL));
    asm.jump_if(When::Below, top);
    asm.bind(tail);
    asm.put(Instruction::with2(Code::Cmp_rm64_imm8, at(TABLE, header::TAIL), 0));
    asm.jump_if(When::Equal, end);
    if program.isa == Isa::Avx512 {
        asm.rm(Code::VEX_Kmovw_kr_km16, holding(0), at(TABLE, header::BITS));
        asm.rm(Code::VEX_Kmovw_kr_km16, holding(1), at(TABLE, header::UPPER_BITS));
    }
    emitter.body(true);
    emitter.asm.bind(end);
    emitter.epilogue();
    let frame = emitter.frame();
    emitter.asm.finish(frame)
}

impl Emitter<'_> {
    fn prologue(&mut self) {
        let asm = &mut self.asm;
        asm.put(Instruction::with1(Code::Push_r64, Register::RBP));
        asm.rr(Code::Mov_r64_rm64, Register::RBP, Register::RSP);
        for register in SAVED {
            asm.put(Instruction::with1(Code::Push_r64, register));
        }
        asm.reserve();
        asm.put(Instruction::with2(Code::And_rm64_imm8, Register::RSP, -64));
        for (entry, register) in self.kept().to_vec() {
            self.asm.rm(Code::Mov_r64_rm64, register, at(TABLE, entry));
        }
        self.asm.rm(Code::Mov_r64_rm64, POOL, at(TABLE, header::POOL));
        self.asm.rr(Code::Xor_r32_rm32, Register::ECX, Register::ECX);
    }

    fn epilogue(&mut self) {
        let asm = &mut self.asm;
        asm.put(Ok(Instruction::with(Code::VEX_Vzeroupper)));
        asm.rm(Code::Lea_r64_m, Register::RSP, at(Register::RBP, -8 * SAVED.len() as i32));
        for register in SAVED.into_iter().rev() {
            asm.put(Instruction::with1(Code::Pop_r64, register));
        }
        asm.put(Instruction::with1(Code::Pop_r64, Register::RBP));
        asm.put(Ok(Instruction::with(Code::Retnq)));
    }

    fn body(&mut self, tail: bool) {
        self.begin(tail);
        let program = self.program;
        for (k, inst) in program.insts.iter().enumerate() {
            self.step(k);
            self.inst(inst);
        }
    }

    fn inst(&mut self, inst: &Inst) {
        match inst {
            Inst::Plain(plain) => self.plain(plain),
            Inst::Fma { double, negated, width, dst, a, b, c } => {
                self.fma(*double, *negated, *width, *dst, [*a, *b, *c]);
            }
            Inst::Load { dst, from } => {
                let r = self.take(false);
                self.load_home(*from, false, self.width_of(*dst), r);
                self.bind(*dst, r);
            }
            Inst::Store { entry, part, size, value } => {
                let r = self.read(*value);
                let width = self.width_of(*value);
                let to = self.stream(*entry, *part, *size);
                if self.tail {
                    self.store_some(to, width, *part, *size, r)
                } else {
                    self.store_vector(to, width, r)
                }
                self.release(*value);
            }
            Inst::LoadBytes { dst, entry } => {
                let r = self.take(false);
                self.load_bytes(*entry, r);
                self.bind(*dst, r);
            }
            Inst::StoreBytes { entry, value } => {
                let r = self.read(*value);
                self.store_bytes(*entry, r);
                self.release(*value);
            }
            Inst::SplatByte { dst, entry } => self.splat_byte(*dst, *entry),
            Inst::Ramp { dst, entry, iota } => self.ramp(*dst, *entry, *iota),
            Inst::Gather { dst, entry, index, size } => self.gather(*dst, *entry, *index, *size),
            Inst::Fetch { base, size, list, long } => self.fetch((*base, *size), (*list, *long)),
            Inst::GatherBytes { dst, entry, index } => self.gather_bytes(*dst, *entry, *index),
            Inst::Each { base, len, place, effect, cell, value, parts } => {
                self.each(*base, *len, *place, (*effect, *cell), &value[..usize::from(*parts)]);
            }
            Inst::Emit { mask, place } => self.emit(*mask, *place),
            Inst::Serial { op, dst, a, b } => self.serial(*op, *dst, *a, *b),
        }
    }

    /// The register of an operand that wide.
    fn sized(size: Size, width: Width, r: u8) -> Register {
        match size {
            Size::Full => vector(width, r),
            Size::Half => vector(width.half(), r),
            Size::Quarter => vector(width.half().half(), r),
            Size::Mask => Register::K0 + u32::from(r),
        }
    }

    fn plain(&mut self, plain: &Plain) {
        let forms = plain.family.forms();
        let Some(code) = code(&forms, self.isa(), plain.width) else {
            self.asm.fail();
            return;
        };
        let mask = plain.mask.map(|m| self.read(m));
        let (mut a, mut b) = (plain.a, plain.b);
        // What is in memory goes last.
        if let Some(second) = b
            && plain.commutes
            && !self.is_in_register(a)
            && (self.is_in_register(second)
                || (self.folds(a, &forms, plain.width) && !self.folds(second, &forms, plain.width)))
        {
            (a, b) = (second, Some(a));
        }
        let first = b.map(|_| self.read(a));
        let last = b.unwrap_or(a);
        let last_at = if a != last && self.folds(last, &forms, plain.width)
            || b.is_none() && self.folds(last, &forms, plain.width)
        {
            Err(last)
        } else {
            Ok(self.read(last))
        };
        // The address is made before operands give way to the result.
        let last_at = last_at.map_err(|v| self.memory(v));
        self.release(a);
        b.iter().for_each(|b| self.release(*b));
        plain.mask.iter().for_each(|m| self.release(*m));
        let dst = self.take(forms.dst == Size::Mask);
        let dst_register = Self::sized(forms.dst, plain.width, dst);
        let a_register = first.map(|r| Self::sized(forms.a, plain.width, r));
        let last_register = last_at.map(|r| Self::sized(forms.last, plain.width, r));
        let imm = plain.imm.map(u32::from);
        let chooser = match (self.isa(), mask) {
            // The mask of a blend is an operand of its own there.
            (Isa::Avx2, Some(r)) => Some(vector(plain.width, r)),
            (Isa::Avx2 | Isa::Avx512, _) => None,
        };
        let instruction = match (a_register, last_register, imm, chooser) {
            (None, Ok(r), None, _) => Instruction::with2(code, dst_register, r),
            (None, Ok(r), Some(imm), _) => Instruction::with3(code, dst_register, r, imm),
            (None, Err(m), None, _) => Instruction::with2(code, dst_register, m),
            (None, Err(m), Some(imm), _) => Instruction::with3(code, dst_register, m, imm),
            (Some(a), Ok(r), None, None) => Instruction::with3(code, dst_register, a, r),
            (Some(a), Err(m), None, None) => Instruction::with3(code, dst_register, a, m),
            (Some(a), Ok(r), Some(imm), _) => Instruction::with4(code, dst_register, a, r, imm),
            (Some(a), Err(m), Some(imm), _) => Instruction::with4(code, dst_register, a, m, imm),
            (Some(a), Ok(r), None, Some(c)) => Instruction::with4(code, dst_register, a, r, c),
            (Some(a), Err(m), None, Some(c)) => Instruction::with4(code, dst_register, a, m, c),
        };
        let masked = match (self.isa(), mask) {
            (Isa::Avx512, Some(r)) => instruction.map(|mut i| {
                i.set_op_mask(Register::K0 + u32::from(r));
                i.set_zeroing_masking(plain.zeroing);
                i
            }),
            (Isa::Avx2 | Isa::Avx512, _) => instruction,
        };
        self.asm.put(masked);
        self.bind(plain.dst, dst);
    }

    /// `dst = a * b + c`: one operand is overwritten, another may be in memory.
    fn fma(&mut self, double: bool, negated: bool, width: Width, dst: V, [a, b, c]: [V; 3]) {
        // Forms of additions say what may be read in place.
        let forms = if double { Family::AddF64.forms() } else { Family::AddF32.forms() };
        let distinct = a != b && b != c && a != c;
        let absent = |e: &Self, v: V| distinct && !e.is_in_register(v);
        let foldable = |e: &Self, v: V| distinct && e.folds(v, &forms, width);
        // The factor that is in memory, if one is, goes second.
        let (a, b) = if absent(self, a) && !absent(self, b) { (b, a) } else { (a, b) };
        if absent(self, a) {
            self.read(a);
        }
        let (in_place, form_of, overwritten, other);
        if foldable(self, b) && !absent(self, a) {
            in_place = b;
            let ra = self.read(a);
            if absent(self, c) {
                let rc = self.copy(c);
                (form_of, overwritten, other) = (Fused::F231, rc, ra);
            } else if self.dies(c) || !self.dies(a) {
                let rc = self.read(c);
                (form_of, overwritten, other) = (Fused::F231, self.overwrite(c, rc), ra);
            } else {
                let rc = self.read(c);
                (form_of, overwritten, other) = (Fused::F132, self.overwrite(a, ra), rc);
            }
        } else if foldable(self, c) && (self.dies(a) || self.dies(b) || absent(self, b)) {
            in_place = c;
            let ra = self.read(a);
            if absent(self, b) {
                let rb = self.copy(b);
                (form_of, overwritten, other) = (Fused::F213, rb, ra);
            } else {
                let rb = self.read(b);
                let over_a = self.dies(a);
                let (over, r, rest) = if over_a { (a, ra, rb) } else { (b, rb, ra) };
                (form_of, overwritten, other) = (Fused::F213, self.overwrite(over, r), rest);
            }
        } else if absent(self, c) {
            let (ra, rb) = (self.read(a), self.read(b));
            let rc = self.copy(c);
            [a, b, c].into_iter().for_each(|v| self.release(v));
            let code = fused(Fused::F231, double, negated, self.isa(), width);
            self.put_fma(code, width, rc, ra, Ok(rb));
            self.bind(dst, rc);
            return;
        } else {
            let (ra, rb, rc) = (self.read(a), self.read(b), self.read(c));
            let (form_of, over, r, other, last) = if self.dies(c) && c != a && c != b {
                (Fused::F231, c, rc, ra, rb)
            } else if self.dies(a) {
                (Fused::F213, a, ra, rb, rc)
            } else if self.dies(b) {
                (Fused::F213, b, rb, ra, rc)
            } else {
                (Fused::F231, c, rc, ra, rb)
            };
            let overwritten = self.overwrite(over, r);
            [a, b, c].into_iter().for_each(|v| self.release(v));
            let code = fused(form_of, double, negated, self.isa(), width);
            self.put_fma(code, width, overwritten, other, Ok(last));
            self.bind(dst, overwritten);
            return;
        }
        let memory = self.memory(in_place);
        [a, b, c].into_iter().for_each(|v| self.release(v));
        let code = fused(form_of, double, negated, self.isa(), width);
        self.put_fma(code, width, overwritten, other, Err(memory));
        self.bind(dst, overwritten);
    }

    /// A register with the value that may be overwritten: its own if nothing needs it any more.
    fn overwrite(&mut self, v: V, r: u8) -> u8 {
        if self.dies(v) {
            self.give_up(v);
            return r;
        }
        let copy = self.take(false);
        let width = self.width_of(v);
        let first = match self.isa() {
            Isa::Avx2 => Code::VEX_Vmovaps_xmm_xmmm128,
            Isa::Avx512 => Code::EVEX_Vmovaps_xmm_k1z_xmmm128,
        };
        match form(first, width as usize) {
            Some(code) => self.asm.rr(code, vector(width, copy), vector(width, r)),
            None => self.asm.fail(),
        }
        copy
    }

    /// The last operand is in a register, or in memory.
    fn put_fma(
        &mut self,
        code: Option<Code>,
        width: Width,
        dst: u8,
        other: u8,
        last: Result<u8, MemoryOperand>,
    ) {
        let (dst, other) = (vector(width, dst), vector(width, other));
        match (code, last) {
            (Some(code), Ok(r)) => self.asm.put(Instruction::with3(code, dst, other, vector(width, r))),
            (Some(code), Err(m)) => self.asm.put(Instruction::with3(code, dst, other, m)),
            (None, _) => self.asm.fail(),
        }
    }

    /// As many bytes as there are lanes, one after the other.
    fn load_bytes(&mut self, entry: i32, r: u8) {
        let dst = vector(Width::X, r);
        if self.tail {
            let from = self.stream(entry, 0, 1);
            match self.isa() {
                Isa::Avx512 => {
                    let load = Instruction::with2(Code::EVEX_Vmovdqu8_xmm_k1z_xmmm128, dst, from);
                    self.asm.put(load.map(|mut i| {
                        i.set_op_mask(holding(0));
                        i.set_zeroing_masking(true);
                        i
                    }));
                }
                Isa::Avx2 => {
                    self.asm.rm(Code::Lea_r64_m, Register::R9, from);
                    self.copy_bytes(Register::R9, Register::RSP);
                    self.asm.rm(Code::VEX_Vmovq_xmm_xmmm64, dst, at(Register::RSP, 0));
                }
            }
            return;
        }
        let from = self.stream(entry, 0, 1);
        match (self.isa(), self.program.lanes) {
            (Isa::Avx512, 16) => self.asm.rm(Code::EVEX_Vmovups_xmm_k1z_xmmm128, dst, from),
            (Isa::Avx512, _) => self.asm.rm(Code::EVEX_Vmovq_xmm_xmmm64, dst, from),
            (Isa::Avx2, 8) => self.asm.rm(Code::VEX_Vmovq_xmm_xmmm64, dst, from),
            (Isa::Avx2, _) => self.asm.rm(Code::VEX_Vmovd_xmm_rm32, dst, from),
        }
    }

    fn store_bytes(&mut self, entry: i32, r: u8) {
        let value = vector(Width::X, r);
        if self.tail {
            let to = self.stream(entry, 0, 1);
            match self.isa() {
                Isa::Avx512 => {
                    let store = Instruction::with2(Code::EVEX_Vmovdqu8_xmmm128_k1z_xmm, to, value);
                    self.asm.put(store.map(|mut i| {
                        i.set_op_mask(holding(0));
                        i
                    }));
                }
                Isa::Avx2 => {
                    self.asm.rm(Code::Lea_r64_m, Register::R9, to);
                    self.asm.mr(Code::VEX_Vmovq_xmmm64_xmm, at(Register::RSP, 0), value);
                    self.copy_bytes(Register::RSP, Register::R9);
                }
            }
            return;
        }
        let to = self.stream(entry, 0, 1);
        match (self.isa(), self.program.lanes) {
            (Isa::Avx512, 16) => self.asm.mr(Code::EVEX_Vmovups_xmmm128_k1z_xmm, to, value),
            (Isa::Avx512, _) => self.asm.mr(Code::EVEX_Vmovq_xmmm64_xmm, to, value),
            (Isa::Avx2, 8) => self.asm.mr(Code::VEX_Vmovq_xmmm64_xmm, to, value),
            (Isa::Avx2, _) => self.asm.mr(Code::VEX_Vmovd_rm32_xmm, to, value),
        }
    }

    fn splat_byte(&mut self, dst: V, entry: i32) {
        let pointer = self.pointer(entry);
        let asm = &mut self.asm;
        asm.rm(Code::Movzx_r32_rm8, Register::EAX, at(pointer, 0));
        asm.put(Instruction::with1(Code::Neg_rm32, Register::EAX));
        asm.rr(Code::Sbb_r32_rm32, Register::EAX, Register::EAX);
        let r = match self.isa() {
            Isa::Avx512 => {
                let r = self.take(true);
                self.asm.rr(Code::VEX_Kmovw_kr_r32, Register::K0 + u32::from(r), Register::EAX);
                r
            }
            Isa::Avx2 => {
                let r = self.take(false);
                self.splat_eax(self.width_of(dst), r);
                r
            }
        };
        self.bind(dst, r);
    }

    fn splat_eax(&mut self, width: Width, r: u8) {
        match self.isa() {
            Isa::Avx512 => match form(Code::EVEX_Vpbroadcastd_xmm_k1z_r32, width as usize) {
                Some(code) => self.asm.rr(code, vector(width, r), Register::EAX),
                None => self.asm.fail(),
            },
            Isa::Avx2 => {
                let low = vector(Width::X, r);
                self.asm.rr(Code::VEX_Vmovd_xmm_rm32, low, Register::EAX);
                match form(Code::VEX_Vpbroadcastd_xmm_xmmm32, width as usize) {
                    Some(code) => self.asm.rr(code, vector(width, r), low),
                    None => self.asm.fail(),
                }
            }
        }
    }

    /// The numbers of elements one after the other.
    fn ramp(&mut self, dst: V, entry: i32, iota: i32) {
        let width = self.width_of(dst);
        let r = self.take(false);
        self.asm.rm(Code::Mov_r32_rm32, Register::EAX, at(TABLE, entry));
        self.asm.rr(Code::Add_r32_rm32, Register::EAX, Register::ECX);
        self.splat_eax(width, r);
        let forms = Family::AddI32.forms();
        match code(&forms, self.isa(), width) {
            Some(code) => {
                let register = vector(width, r);
                self.asm.put(Instruction::with3(code, register, register, at(POOL, iota)));
            }
            None => self.asm.fail(),
        }
        self.bind(dst, r);
    }

    fn gather(&mut self, dst: V, entry: i32, index: V, size: u8) {
        let width = self.width_of(dst);
        let places = self.read(index);
        // The result goes elsewhere: all three registers of a gather differ.
        let r = self.take(false);
        let base = self.pointer(entry);
        let index_width = if size == 8 { width.half() } else { width };
        let from = MemoryOperand::with_base_index_scale(base, vector(index_width, places), u32::from(size));
        match self.isa() {
            Isa::Avx512 => {
                let mask = self.take(true);
                let k = Register::K0 + u32::from(mask);
                self.asm.put(Instruction::with3(Code::VEX_Kxnorw_kr_kr_kr, k, k, k));
                self.zero(r);
                let first = if size == 4 {
                    Code::EVEX_Vgatherdps_xmm_k1_vm32x
                } else {
                    Code::EVEX_Vgatherdpd_xmm_k1_vm32x
                };
                match form(first, width as usize) {
                    Some(code) => {
                        let gather = Instruction::with2(code, vector(width, r), from);
                        self.asm.put(gather.map(|mut i| {
                            i.set_op_mask(k);
                            i
                        }));
                    }
                    None => self.asm.fail(),
                }
            }
            Isa::Avx2 => {
                let mask = self.take(false);
                let forms = Family::EqualI32.forms();
                let first = if size == 4 {
                    Code::VEX_Vgatherdps_xmm_vm32x_xmm
                } else {
                    Code::VEX_Vgatherdpd_xmm_vm32x_xmm
                };
                match (code(&forms, Isa::Avx2, width), form(first, width as usize)) {
                    (Some(equal), Some(gather)) => {
                        let ones = vector(width, mask);
                        self.asm.put(Instruction::with3(equal, ones, ones, ones));
                        self.zero(r);
                        self.asm.put(Instruction::with3(gather, vector(width, r), from, ones));
                    }
                    (None, _) | (_, None) => self.asm.fail(),
                }
            }
        }
        self.release(index);
        self.bind(dst, r);
    }

    /// Zeros a register, so that what comes need not wait for what was in it.
    fn zero(&mut self, r: u8) {
        let register = vector(Width::X, r);
        let code = match self.isa() {
            Isa::Avx2 => Code::VEX_Vpxor_xmm_xmm_xmmm128,
            Isa::Avx512 => Code::EVEX_Vpxord_xmm_k1z_xmm_xmmm128b32,
        };
        self.asm.put(Instruction::with3(code, register, register, register));
    }

    /// The scratch at an offset from its start.
    pub(super) fn scratch(offset: i32) -> MemoryOperand {
        debug_assert!(offset < SCRATCH);
        at(Register::RSP, offset)
    }
}

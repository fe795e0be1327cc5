//! Between registers and buffers: where elements are, by the shape of their numbers.

use neuropil_base::ScalarType;
use neuropil_ir::{Accumulation, At, Domain, Op, Side, SlotId, ValueId};
use neuropil_math::CompareOp;

use super::{Lanes, Select, Shape, plain, size};
use crate::x86::family::Family;
use crate::x86::program::{Cell, Effect, Entry, Home, Inst, Isa, Place, Plain, V, Width};

/// The machine type of a buffer's elements.
fn cell(ty: ScalarType) -> Cell {
    match ty {
        ScalarType::Bool => Cell::Byte,
        ScalarType::I32 => Cell::I32,
        ScalarType::I64 => Cell::I64,
        ScalarType::F32 => Cell::F32,
        ScalarType::F64 => Cell::F64,
    }
}

impl Select<'_> {
    fn shape(&self, side: Side) -> Shape {
        self.job.shapes[side as usize]
    }

    fn slot_ty(&self, slot: SlotId) -> Option<ScalarType> {
        self.job.kernel.slots.get(slot.index()).map(|s| s.ty)
    }

    /// Whether what an instruction reads from a slot can be read again until its last use.
    fn stays(&self, i: usize, slot: SlotId) -> bool {
        let insts = &self.job.kernel.insts;
        let stored = (i..insts.len()).find(|k| {
            matches!(&insts[*k].op, Op::Store { slot: s, .. } | Op::Accumulate { slot: s, .. } if *s == slot)
        });
        let Some(stored) = stored else { return true };
        // The same bits as another type are the same value.
        let mut names = vec![ValueId::new(i)];
        let mut last = i;
        for (k, inst) in insts.iter().enumerate().skip(i) {
            if inst.op.operands().iter().any(|v| names.contains(v)) {
                last = k;
                if matches!(inst.op, Op::Bitcast(_)) {
                    names.push(ValueId::new(k));
                }
            }
        }
        last <= stored
    }

    pub(super) fn load(&mut self, i: usize, slot: SlotId, at: At) -> Option<()> {
        let ty = self.slot_ty(slot)?;
        if at == At::Side(Side::Own) {
            self.fetch(slot, size(ty));
        }
        let index = match at {
            At::Side(side) => match self.shape(side) {
                Shape::From => return self.load_stream(i, slot, side, ty),
                Shape::Same => return self.load_same(i, slot, side, ty),
                Shape::List32 | Shape::List64 => self.index(side, slot),
            },
            At::Value(v) => self.clamped(v, slot)?,
            // Same for all elements, or order-dependent.
            At::Scalar => return None,
        };
        let entry = self.entry(Entry::Base(slot));
        if ty == ScalarType::Bool {
            let dst = self.fresh(Width::X);
            self.push(Inst::GatherBytes { dst, entry, index });
            let lanes = self.of_bytes(dst);
            self.set(i, lanes);
            return Some(());
        }
        let size = size(ty);
        let mut list = [0; 2];
        for (part, v) in list.iter_mut().enumerate().take(self.parts(size)) {
            let index = if self.parts(size) == 2 { self.half(index, part) } else { index };
            *v = self.fresh(self.width(size));
            self.push(Inst::Gather { dst: *v, entry, index, size });
        }
        if self.parts(size) == 1 {
            list[1] = list[0];
        }
        self.set(i, Lanes::Number(list));
        Some(())
    }

    /// Has elements of synapses fetched before they are gathered: there are more of them than caches hold, and processors
    /// cannot guess where they are.
    fn fetch(&mut self, slot: SlotId, size: u8) {
        let long = match self.shape(Side::Own) {
            Shape::From | Shape::Same => return,
            Shape::List32 => false,
            Shape::List64 => true,
        };
        if self.job.kernel.domain == Domain::Synapses && self.fetched.insert(slot) {
            let (base, list) = (self.entry(Entry::Base(slot)), self.entry(Entry::List(Side::Own)));
            self.push(Inst::Fetch { base, size, list, long });
        }
    }

    fn load_stream(&mut self, i: usize, slot: SlotId, side: Side, ty: ScalarType) -> Option<()> {
        let entry = self.entry(Entry::Stream { slot, side });
        if ty == ScalarType::Bool {
            let dst = self.fresh(Width::X);
            self.push(Inst::LoadBytes { dst, entry });
            let lanes = self.of_bytes(dst);
            self.set(i, lanes);
            return Some(());
        }
        let stays = self.stays(i, slot);
        let list = self.stream(entry, size(ty), stays);
        self.set(i, Lanes::Number(list));
        Some(())
    }

    /// Elements one after the other, read when they are wanted if they stay as they are.
    fn stream(&mut self, entry: i32, size: u8, stays: bool) -> [V; 2] {
        let mut list = [0; 2];
        for (part, v) in list.iter_mut().enumerate().take(self.parts(size)) {
            let home = Home::Stream { entry, part: part as u8, size };
            *v = self.read(self.width(size), home, stays);
        }
        if self.parts(size) == 1 {
            list[1] = list[0];
        }
        list
    }

    fn read(&mut self, width: Width, from: Home, stays: bool) -> V {
        if stays {
            return self.homed(width, from);
        }
        let dst = self.fresh(width);
        self.push(Inst::Load { dst, from });
        dst
    }

    fn load_same(&mut self, i: usize, slot: SlotId, side: Side, ty: ScalarType) -> Option<()> {
        let entry = self.entry(Entry::Same { slot, side });
        let lanes = if ty == ScalarType::Bool {
            match self.isa() {
                Isa::Avx512 => {
                    let dst = self.fresh_mask();
                    self.push(Inst::SplatByte { dst, entry });
                    Lanes::Mask(dst)
                }
                Isa::Avx2 => {
                    let dst = self.fresh(self.width(4));
                    self.push(Inst::SplatByte { dst, entry });
                    Lanes::Wide(Some(dst), None)
                }
            }
        } else {
            let size = size(ty);
            let stays = self.stays(i, slot);
            let v = self.read(self.width(size), Home::Same { entry, size }, stays);
            Lanes::Number([v; 2])
        };
        self.set(i, lanes);
        Some(())
    }

    /// The truth values of bytes, which are 0 or not.
    fn of_bytes(&mut self, bytes: V) -> Lanes {
        match self.isa() {
            Isa::Avx512 => {
                let dst = self.fresh_mask();
                Lanes::Mask(self.plain_to(plain(Family::MaskBytes, Width::X, dst, bytes, Some(bytes))))
            }
            Isa::Avx2 => {
                let zero = self.i32(0);
                let dst = self.fresh(Width::X);
                let is = self.plain_to(plain(Family::EqualI8, Width::X, dst, bytes, Some(zero)));
                let wide = self.one(Family::WidenI8, 4, is);
                self.not(Lanes::Wide(Some(wide), None))
            }
        }
    }

    /// Truth values as bytes of 0 and 1, in 128 bits.
    fn bytes(&mut self, lanes: Lanes) -> V {
        let ones = self.vector(&[1; 16]);
        let dst = self.fresh(Width::X);
        match lanes {
            Lanes::Mask(mask) => self.plain_to(Plain {
                mask: Some(mask),
                zeroing: true,
                ..plain(Family::CopyBytes, Width::X, dst, ones, None)
            }),
            Lanes::Wide(..) | Lanes::Number(_) => {
                let wide = self.wide32(lanes);
                let upper = if self.width(4) == Width::Y { self.half(wide, 1) } else { wide };
                let packed = self.plain_to(plain(Family::PackI32, Width::X, dst, wide, Some(upper)));
                let dst = self.fresh(Width::X);
                let packed = self.plain_to(plain(Family::PackI16, Width::X, dst, packed, Some(packed)));
                let dst = self.fresh(Width::X);
                self.plain_to(plain(Family::And32, Width::X, dst, packed, Some(ones)))
            }
        }
    }

    /// The lower 32 bits of the numbers of a side.
    pub(super) fn number32(&mut self, side: Side) -> V {
        if let Some(v) = self.numbers[side as usize] {
            return v;
        }
        let v = match self.shape(side) {
            Shape::From => {
                let entry = self.entry(Entry::Start(side));
                let iota: Vec<u8> = (0..16_u32).flat_map(u32::to_le_bytes).collect();
                let iota = self.pool(&iota, 1);
                let dst = self.fresh(self.width(4));
                self.push(Inst::Ramp { dst, entry, iota });
                dst
            }
            Shape::Same => {
                let at = self.entry(Entry::Number(side));
                self.homed(self.width(4), Home::Splat { pool: false, at, size: 4 })
            }
            Shape::List32 => {
                let entry = self.entry(Entry::List(side));
                self.stream(entry, 4, true)[0]
            }
            Shape::List64 => {
                let list = self.number64(side);
                self.low_half(list)
            }
        };
        self.numbers[side as usize] = Some(v);
        v
    }

    /// The numbers of a side that are told by a list of 64 bits.
    fn number64(&mut self, side: Side) -> [V; 2] {
        if let Some(list) = self.numbers64[side as usize] {
            return list;
        }
        let entry = self.entry(Entry::List(side));
        let list = self.stream(entry, 8, true);
        self.numbers64[side as usize] = Some(list);
        list
    }

    /// The numbers of a side as places in a buffer: drivers see to it that they are inside, and the last element is
    /// read for those that are not.
    fn index(&mut self, side: Side, slot: SlotId) -> V {
        if let Some(v) = self.indices.get(&(side, slot)) {
            return *v;
        }
        let number = match (self.shape(side), self.isa()) {
            (Shape::List64, Isa::Avx512) => {
                let list = self.number64(side);
                self.narrowed(list, |s, a| s.narrow(Family::SaturateU64, a))[0]
            }
            (Shape::List64, Isa::Avx2) | (Shape::From | Shape::Same | Shape::List32, _) => {
                self.number32(side)
            }
        };
        let last = self.last(slot);
        let v = self.commuting(Family::MinU32, 4, number, last);
        self.indices.insert((side, slot), v);
        v
    }

    fn last(&mut self, slot: SlotId) -> V {
        let at = self.entry(Entry::Last(slot));
        self.homed(self.width(4), Home::Splat { pool: false, at, size: 4 })
    }

    /// Numbers that were computed as places in a buffer: the nearest for those outside.
    fn clamped(&mut self, value: ValueId, slot: SlotId) -> Option<V> {
        let list = self.number(value)?;
        let last = self.last(slot);
        let zero = self.i32(0);
        let number = match (self.ty(value)?, self.isa()) {
            (ScalarType::I64, Isa::Avx512) => self.narrowed(list, |s, a| s.narrow(Family::SaturateI64, a))[0],
            (ScalarType::I64, Isa::Avx2) => {
                let (zero, most) = (self.i64(0), self.i64(i64::from(i32::MAX)));
                let list = self.map(8, list, |s, a| {
                    let below = s.compare_wide(CompareOp::Lt, ScalarType::I64, a, zero);
                    let a = s.blend(8, below, zero, a);
                    let above = s.compare_wide(CompareOp::Gt, ScalarType::I64, a, most);
                    s.blend(8, above, most, a)
                });
                self.low_words(list)
            }
            (ScalarType::I32 | ScalarType::Bool | ScalarType::F32 | ScalarType::F64, _) => list[0],
        };
        let number = self.commuting(Family::MaxI32, 4, number, zero);
        Some(self.commuting(Family::MinI32, 4, number, last))
    }

    /// Where elements are, one by one.
    fn place(&mut self, at: At) -> Option<Place> {
        Some(match at {
            At::Scalar => Place::First,
            At::Value(v) => {
                let list = self.number(v)?;
                match self.ty(v)? {
                    ScalarType::I64 => Place::Values64(list),
                    ScalarType::I32 | ScalarType::Bool | ScalarType::F32 | ScalarType::F64 => {
                        Place::Values32(list[0])
                    }
                }
            }
            At::Side(side) => match self.shape(side) {
                Shape::From => Place::From(self.entry(Entry::Start(side))),
                Shape::Same => Place::Same(self.entry(Entry::Start(side))),
                Shape::List32 => Place::List32(self.entry(Entry::List(side))),
                Shape::List64 => Place::List64(self.entry(Entry::List(side))),
            },
        })
    }

    /// Something done to elements one by one, in their order.
    fn each(&mut self, slot: SlotId, at: At, effect: Effect, value: ValueId) -> Option<()> {
        let ty = self.slot_ty(slot)?;
        let place = self.place(at)?;
        let (base, len) = (self.entry(Entry::Base(slot)), self.entry(Entry::Len(slot)));
        let (value, parts) = if ty == ScalarType::Bool {
            let lanes = self.lanes(value)?;
            ([self.bytes(lanes); 2], 1)
        } else {
            (self.number(value)?, self.parts(size(ty)) as u8)
        };
        self.push(Inst::Each { base, len, place, effect, cell: cell(ty), value, parts });
        Some(())
    }

    /// The side that a buffer is gone through by, element after element.
    fn streamed(&self, at: At) -> Option<Side> {
        match at {
            At::Side(side) if self.shape(side) == Shape::From => Some(side),
            At::Side(_) | At::Scalar | At::Value(_) => None,
        }
    }

    pub(super) fn store(&mut self, slot: SlotId, at: At, value: ValueId) -> Option<()> {
        let Some(side) = self.streamed(at) else { return self.each(slot, at, Effect::Store, value) };
        let ty = self.slot_ty(slot)?;
        let entry = self.entry(Entry::Stream { slot, side });
        if ty == ScalarType::Bool {
            let lanes = self.lanes(value)?;
            let value = self.bytes(lanes);
            self.push(Inst::StoreBytes { entry, value });
            return Some(());
        }
        let size = size(ty);
        let list = self.number(value)?;
        for (part, value) in list.into_iter().take(self.parts(size)).enumerate() {
            self.push(Inst::Store { entry, part: part as u8, size, value });
        }
        Some(())
    }

    pub(super) fn accumulate(
        &mut self,
        slot: SlotId,
        at: At,
        with: Accumulation,
        value: ValueId,
    ) -> Option<()> {
        let Some(side) = self.streamed(at) else {
            return self.each(slot, at, Effect::Accumulate(with), value);
        };
        let ty = self.slot_ty(slot)?;
        let size = size(ty);
        let entry = self.entry(Entry::Stream { slot, side });
        // It is read where it is combined, right before it is written.
        let old = self.stream(entry, size, true);
        let value = self.number(value)?;
        for part in 0..self.parts(size) {
            let (old, value) = (old[part], value[part]);
            let v = match (with, ty) {
                (Accumulation::Add, ScalarType::F32) => self.commuting(Family::AddF32, 4, old, value),
                (Accumulation::Add, ScalarType::F64) => self.commuting(Family::AddF64, 8, old, value),
                (Accumulation::Add, ScalarType::I64) => self.commuting(Family::AddI64, 8, old, value),
                (Accumulation::Add, _) => self.commuting(Family::AddI32, 4, old, value),
                (Accumulation::Min, ScalarType::F32) => self.two(Family::MinF32, 4, value, old),
                (Accumulation::Min, ScalarType::F64) => self.two(Family::MinF64, 8, value, old),
                (Accumulation::Min, ScalarType::I64) => {
                    self.binary_i64(neuropil_math::BinaryOp::Min, value, old)
                }
                (Accumulation::Min, _) => self.two(Family::MinI32, 4, value, old),
                (Accumulation::Max, ScalarType::F32) => self.two(Family::MaxF32, 4, value, old),
                (Accumulation::Max, ScalarType::F64) => self.two(Family::MaxF64, 8, value, old),
                (Accumulation::Max, ScalarType::I64) => {
                    self.binary_i64(neuropil_math::BinaryOp::Max, value, old)
                }
                (Accumulation::Max, _) => self.two(Family::MaxI32, 4, value, old),
            };
            self.push(Inst::Store { entry, part: part as u8, size, value: v });
        }
        Some(())
    }

    pub(super) fn emit(&mut self, condition: ValueId) -> Option<()> {
        let place = self.place(At::Side(Side::Own))?;
        let mask = match self.lanes(condition)? {
            Lanes::Mask(v) => v,
            lanes @ (Lanes::Wide(..) | Lanes::Number(_)) => self.wide32(lanes),
        };
        self.push(Inst::Emit { mask, place });
        Some(())
    }
}

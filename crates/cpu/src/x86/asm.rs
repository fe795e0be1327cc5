//! Machine code on its way: instructions, labels and jumps.

use iced_x86::{Code, Encoder, IcedError, Instruction, MemoryOperand, Register};

/// A place in the code that jumps go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Label(usize);

/// When a jump is taken, by the machine's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    Below = 2,
    AboveOrEqual = 3,
    Equal = 4,
    NotEqual = 5,
    NotSign = 9,
    GreaterOrEqual = 13,
    LessOrEqual = 14,
}

/// An assembler. What cannot be encoded is remembered, and there is no code then.
pub(super) struct Asm {
    encoder: Encoder,
    len: usize,
    labels: Vec<Option<usize>>,
    /// Where the distance to a label is missing.
    jumps: Vec<(usize, Label)>,
    /// Where the size of the frame is missing.
    frame: Option<usize>,
    failed: bool,
}

impl Asm {
    pub(super) fn new() -> Option<Self> {
        let encoder = Encoder::try_new(64).ok()?;
        Some(Self { encoder, len: 0, labels: Vec::new(), jumps: Vec::new(), frame: None, failed: false })
    }

    pub(super) fn put(&mut self, instruction: Result<Instruction, IcedError>) {
        match instruction.and_then(|i| self.encoder.encode(&i, 0)) {
            Ok(len) => self.len += len,
            Err(_) => self.failed = true,
        }
    }

    pub(super) fn fail(&mut self) {
        self.failed = true;
    }

    fn bytes(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.encoder.write_u8(*b));
        self.len += bytes.len();
    }

    pub(super) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// The label is here.
    pub(super) fn bind(&mut self, label: Label) {
        self.labels[label.0] = Some(self.len);
    }

    pub(super) fn here(&mut self) -> Label {
        let label = self.label();
        self.bind(label);
        label
    }

    /// Fills up to a boundary, where loops are quicker.
    pub(super) fn align(&mut self) {
        while !self.len.is_multiple_of(32) {
            self.bytes(&[0x90]);
        }
    }

    pub(super) fn jump(&mut self, to: Label) {
        self.bytes(&[0xe9, 0, 0, 0, 0]);
        self.jumps.push((self.len - 4, to));
    }

    pub(super) fn jump_if(&mut self, when: When, to: Label) {
        self.bytes(&[0x0f, 0x80 + when as u8, 0, 0, 0, 0]);
        self.jumps.push((self.len - 4, to));
    }

    /// Makes room on the stack; how much is said in the end.
    pub(super) fn reserve(&mut self) {
        self.bytes(&[0x48, 0x81, 0xec, 0, 0, 0, 0]);
        self.frame = Some(self.len - 4);
    }

    pub(super) fn rr(&mut self, code: Code, a: Register, b: Register) {
        self.put(Instruction::with2(code, a, b));
    }

    pub(super) fn rm(&mut self, code: Code, a: Register, m: MemoryOperand) {
        self.put(Instruction::with2(code, a, m));
    }

    pub(super) fn mr(&mut self, code: Code, m: MemoryOperand, a: Register) {
        self.put(Instruction::with2(code, m, a));
    }

    /// The code, with a frame of that many bytes.
    pub(super) fn finish(mut self, frame: u32) -> Option<Vec<u8>> {
        if self.failed {
            return None;
        }
        let mut code = self.encoder.take_buffer();
        for (at, label) in &self.jumps {
            let to = (*self.labels.get(label.0)?)?;
            let distance = i32::try_from(to as i64 - (*at as i64 + 4)).ok()?;
            code.get_mut(*at..at + 4)?.copy_from_slice(&distance.to_le_bytes());
        }
        if let Some(at) = self.frame {
            code.get_mut(at..at + 4)?.copy_from_slice(&frame.to_le_bytes());
        }
        Some(code)
    }
}

/// Memory at a register.
pub(super) fn at(base: Register, offset: i32) -> MemoryOperand {
    MemoryOperand::with_base_displ(base, i64::from(offset))
}

/// Memory at a register and a scaled one.
pub(super) fn indexed(base: Register, index: Register, scale: u8, offset: i32) -> MemoryOperand {
    MemoryOperand::with_base_index_scale_displ_size(base, index, u32::from(scale), i64::from(offset), 1)
}

/// The same element for all lanes.
pub(super) fn broadcast(memory: MemoryOperand) -> MemoryOperand {
    MemoryOperand { is_broadcast: true, ..memory }
}

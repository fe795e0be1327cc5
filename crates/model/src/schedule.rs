//! The slots of a step, their order, and places in them.

use std::fmt;

use neuropil_base::define_id;

define_id!(
    /// Names a slot that a model adds to the standard ones.
    SlotId
);

/// A slot of the step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Slot {
    /// The step begins; states are recorded.
    Start,
    /// States advance.
    Groups,
    /// Events happen.
    Thresholds,
    /// Events arrive at synapses.
    Synapses,
    /// Neurons that emitted an event are reset.
    Resets,
    /// The step ends.
    End,
    /// A slot of the model's own.
    Custom(SlotId),
}

impl Slot {
    /// The standard slots in their standard order, and their names.
    pub const STANDARD: [(Self, &'static str); 6] = [
        (Self::Start, "start"),
        (Self::Groups, "groups"),
        (Self::Thresholds, "thresholds"),
        (Self::Synapses, "synapses"),
        (Self::Resets, "resets"),
        (Self::End, "end"),
    ];
}

/// Before, in, or after a slot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// `before_...`
    Before,
    /// The slot itself.
    At,
    /// `after_...`
    After,
}

/// A place in the step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct When {
    /// The slot.
    pub slot: Slot,
    /// Before, in, or after it.
    pub phase: Phase,
}

impl When {
    /// In the slot.
    #[must_use]
    pub const fn at(slot: Slot) -> Self {
        Self { slot, phase: Phase::At }
    }

    /// Before everything in the slot.
    #[must_use]
    pub const fn before(slot: Slot) -> Self {
        Self { slot, phase: Phase::Before }
    }

    /// After everything in the slot.
    #[must_use]
    pub const fn after(slot: Slot) -> Self {
        Self { slot, phase: Phase::After }
    }
}

/// A place in the step, and among the operations there: lower orders run first, equal ones in the order in which
/// their objects were defined.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Placed {
    /// The slot.
    pub when: When,
    /// The order within it.
    pub order: i32,
}

impl Placed {
    /// In a slot, with an order.
    #[must_use]
    pub const fn new(when: When, order: i32) -> Self {
        Self { when, order }
    }

    /// In a slot, with order 0.
    #[must_use]
    pub const fn at(slot: Slot) -> Self {
        Self::new(When::at(slot), 0)
    }

    /// Right behind what is placed here.
    #[must_use]
    pub const fn behind(self) -> Self {
        Self::new(self.when, self.order.saturating_add(1))
    }
}

/// The slots of a step, in order.
///
/// ```
/// use neuropil_model::{Schedule, Slot, When};
/// let schedule = Schedule::default();
/// assert!(schedule.rank(When::after(Slot::Groups)) < schedule.rank(When::before(Slot::Thresholds)));
/// assert_eq!(schedule.shown(When::before(Slot::End)).to_string(), "before_end");
/// assert_eq!(schedule.find("after_resets"), Some(When::after(Slot::Resets)));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    slots: Vec<(Slot, String)>,
}

impl Default for Schedule {
    /// The standard slots in their standard order.
    fn default() -> Self {
        Self { slots: Slot::STANDARD.iter().map(|(slot, name)| (*slot, (*name).to_owned())).collect() }
    }
}

impl Schedule {
    /// Slots in the order of their names; names that are not standard make slots of the model's own.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut own = 0;
        let mut slot = |name: &str| match Slot::STANDARD.iter().find(|(_, n)| *n == name) {
            Some((slot, _)) => *slot,
            None => {
                own += 1;
                Slot::Custom(SlotId::new(own - 1))
            }
        };
        Self { slots: names.into_iter().map(|name| (slot(name), name.to_owned())).collect() }
    }

    /// The slots and their names.
    pub fn slots(&self) -> impl Iterator<Item = (Slot, &str)> {
        self.slots.iter().map(|(slot, name)| (*slot, name.as_str()))
    }

    /// The place of that name: a slot, `before_` one, or `after_` one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<When> {
        let (phase, bare) = match (name.strip_prefix("before_"), name.strip_prefix("after_")) {
            (Some(rest), _) => (Phase::Before, rest),
            (None, Some(rest)) => (Phase::After, rest),
            (None, None) => (Phase::At, name),
        };
        self.slots().find(|(_, n)| *n == bare).map(|(slot, _)| When { slot, phase })
    }

    /// A number that grows from place to place through the step. Places in slots that are not part of the schedule
    /// come last.
    #[must_use]
    pub fn rank(&self, when: When) -> (usize, Phase) {
        (self.slots().position(|(slot, _)| slot == when.slot).unwrap_or(self.slots.len()), when.phase)
    }

    /// A place as a model names it.
    #[must_use]
    pub fn shown(&self, when: When) -> impl fmt::Display {
        let prefix = match when.phase {
            Phase::Before => "before_",
            Phase::At => "",
            Phase::After => "after_",
        };
        let name = self.slots().find(|(slot, _)| *slot == when.slot).map_or("?", |(_, name)| name);
        format!("{prefix}{name}")
    }
}

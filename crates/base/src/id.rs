//! `u32` newtypes that name described things: `PopulationId`, `BufferId`, ...

/// Defines a `u32` newtype that indexes a table of described things.
///
/// ```
/// neuropil_base::define_id!(
///     /// Names a population.
///     PopulationId
/// );
/// let id = PopulationId::new(3);
/// assert_eq!(id.index(), 3);
/// ```
#[macro_export]
macro_rules! define_id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(u32);

        impl $name {
            /// The id of the `index`-th thing of its table.
            ///
            /// Tables never hold more than `u32::MAX` things; a larger index saturates.
            #[must_use]
            pub fn new(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }

            /// Position in the table.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

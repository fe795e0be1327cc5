//! Something large that is kept while it is in use and, where it can be made again, no longer.
//!
//! Who is connected to whom follows from a rule and a seed. A machine that has brought synapses into a form of its own
//! needs them no more; whoever asks later, to list or to store them, gets them made anew, equal to what they were.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::BackendError;

/// How to make something again: a function that gives the same each time.
pub type Recipe<T> = Arc<dyn Fn() -> Result<T, BackendError> + Send + Sync>;

/// A value that is made when somebody asks for it. Clones are the same value.
///
/// ```
/// use neuropil_backend::Renewable;
/// let squares = Renewable::made_by(|| Ok((0_u64..1000).map(|k| k * k).collect::<Vec<_>>()));
/// assert!(!squares.is_there());
/// assert_eq!(squares.get()?[3], 9);
/// assert!(squares.is_there());
/// squares.release();
/// assert!(!squares.is_there());
/// assert_eq!(squares.get()?.len(), 1000);
/// # Ok::<(), neuropil_backend::BackendError>(())
/// ```
pub struct Renewable<T>(Arc<Inner<T>>);

struct Inner<T> {
    place: Mutex<Place<T>>,
    recipe: Option<Recipe<T>>,
}

/// Where the value is, if it is anywhere.
struct Place<T> {
    /// Holds it until it is released.
    kept: Option<Arc<T>>,
    /// Finds it as long as anybody holds it.
    last: Weak<T>,
}

impl<T> Renewable<T> {
    /// A value that cannot be made again: it stays.
    #[must_use]
    pub fn kept(value: T) -> Self {
        Self::new(Some(Arc::new(value)), None)
    }

    /// A value that is not there yet.
    #[must_use]
    pub fn made_by(recipe: impl Fn() -> Result<T, BackendError> + Send + Sync + 'static) -> Self {
        Self::new(None, Some(Arc::new(recipe)))
    }

    /// A value, and how to make it again.
    #[must_use]
    pub fn made(value: T, recipe: impl Fn() -> Result<T, BackendError> + Send + Sync + 'static) -> Self {
        Self::new(Some(Arc::new(value)), Some(Arc::new(recipe)))
    }

    fn new(kept: Option<Arc<T>>, recipe: Option<Recipe<T>>) -> Self {
        let last = kept.as_ref().map_or_else(Weak::new, Arc::downgrade);
        Self(Arc::new(Inner { place: Mutex::new(Place { kept, last }), recipe }))
    }

    /// The value; it is made if it is not there, and stays until it is [released](Self::release).
    ///
    /// # Errors
    /// What kept it from being made.
    pub fn get(&self) -> Result<Arc<T>, BackendError> {
        self.find(true)
    }

    /// The value, for the time that the caller holds it: if it has to be made, nobody else keeps it.
    ///
    /// # Errors
    /// What kept it from being made.
    pub fn borrow(&self) -> Result<Arc<T>, BackendError> {
        self.find(false)
    }

    fn find(&self, keep: bool) -> Result<Arc<T>, BackendError> {
        let mut place = self.place();
        let value = match (&place.kept, place.last.upgrade(), &self.0.recipe) {
            (Some(kept), _, _) => return Ok(Arc::clone(kept)),
            (None, Some(found), _) => found,
            (None, None, Some(recipe)) => Arc::new(recipe()?),
            // What has no recipe is kept.
            (None, None, None) => return Err(BackendError::Gone { why: "there is no recipe".to_owned() }),
        };
        place.last = Arc::downgrade(&value);
        if keep {
            place.kept = Some(Arc::clone(&value));
        }
        Ok(value)
    }

    /// Keeps the value no longer, if it can be made again. Who holds it goes on holding it.
    pub fn release(&self) {
        if self.0.recipe.is_some() {
            self.place().kept = None;
        }
    }

    /// Whether it need not be made now.
    #[must_use]
    pub fn is_there(&self) -> bool {
        let place = self.place();
        place.kept.is_some() || place.last.strong_count() > 0
    }

    /// The value if it need not be made.
    #[must_use]
    pub fn if_there(&self) -> Option<Arc<T>> {
        let place = self.place();
        place.kept.clone().or_else(|| place.last.upgrade())
    }

    fn place(&self) -> MutexGuard<'_, Place<T>> {
        // A recipe that panicked has changed nothing.
        self.0.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> From<T> for Renewable<T> {
    fn from(value: T) -> Self {
        Self::kept(value)
    }
}

impl<T> Clone for Renewable<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for Renewable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.if_there() {
            Some(value) => value.fmt(f),
            None => f.write_str("to be made"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn what_is_held_is_not_made_again() {
        let made = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&made);
        let value = Renewable::made_by(move || Ok(count.fetch_add(1, Ordering::Relaxed)));
        let (first, second) = (value.borrow().unwrap(), value.get().unwrap());
        assert!(Arc::ptr_eq(&first, &second));
        value.release();
        assert!(Arc::ptr_eq(&value.clone().get().unwrap(), &first));
        value.release();
        drop((first, second));
        assert!(value.if_there().is_none());
        assert_eq!((*value.borrow().unwrap(), made.load(Ordering::Relaxed)), (1, 2));
        assert!(!value.is_there());
    }

    #[test]
    fn what_cannot_be_made_again_stays() {
        let value = Renewable::kept(7);
        value.release();
        assert_eq!(*value.get().unwrap(), 7);
    }

    #[test]
    fn what_could_not_be_made_is_tried_again() {
        let tries = AtomicU32::new(0);
        let value = Renewable::made_by(move || match tries.fetch_add(1, Ordering::Relaxed) {
            0 => Err(BackendError::Gone { why: "not yet".to_owned() }),
            n => Ok(n),
        });
        assert!(value.get().is_err());
        assert_eq!(*value.get().unwrap(), 1);
    }
}

//! Promotion: what was applied in one environment before it is applied in another.
//!
//! Pure. [`Elsewhere`] is a fold over the events of *another* environment's ledger, which somebody has
//! verified; [`compare()`] sets it beside the files and the history here, and [`require`] says what of a
//! plan was not applied there.

mod compare;
mod elsewhere;
pub mod require;
mod source;

pub use self::compare::compare;
pub use self::elsewhere::{Application, Checked, Elsewhere, Past, RunNotes, There};
pub use self::source::{Promotion, Source};

#[cfg(test)]
mod tests;

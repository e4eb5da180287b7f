//! Compliance reports: what a ledger says of the changes of a period, for those who audit it.
//!
//! [`Collector`] folds verified events; [`Collector::report`] gives a [`Report`], plain data without a
//! clock: the same log and the same question give the same bytes. [`document()`] puts its words beside the
//! data, section by section, so that no form of it repeats them.

mod changes;
pub mod control;
pub mod document;
mod duties;
pub mod fold;
mod incidents;
mod keys;
pub mod model;
mod runs;
mod sections;
pub mod table;
mod tables;

pub use self::control::{Control, Framework};
pub use self::document::{Document, document};
pub use self::fold::{Asked, Collector, Evidence};
pub use self::model::Report;

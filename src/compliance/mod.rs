//! Compliance reports: what a ledger says of the changes of a period, for those who audit it.
//!
//! [`Collector`] folds verified events; [`Collector::report`] gives a [`Report`], plain data without a
//! clock: the same log and the same question give the same bytes. [`document()`] puts its words beside the
//! data, section by section, so that no form of it repeats them.

mod changes;
pub mod control;
pub mod csv;
pub mod document;
mod duties;
pub mod enclosure;
pub mod fold;
mod html;
mod incidents;
mod json;
mod keys;
mod markdown;
pub mod model;
pub mod period;
pub mod publish;
mod runs;
pub mod sample;
mod sections;
pub mod table;
mod tables;
mod workbook;

pub use self::control::{Control, Framework};
pub use self::document::{Document, document};
pub use self::enclosure::Enclosure;
pub use self::fold::{Collector, Evidence};
pub use self::html::{print as html, write as write_html};
pub use self::json::{print as json, write as write_json};
pub use self::markdown::print as markdown;
pub use self::model::Report;
pub use self::period::{Asked, Bound, Period};
pub use self::sample::Sample;
pub use self::workbook::print as workbook;

#[cfg(test)]
mod report_tests;
#[cfg(test)]
mod story_tests;

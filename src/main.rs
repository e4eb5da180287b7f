//! The `mledger` program: reads what was typed, asks the library, prints its answer.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}

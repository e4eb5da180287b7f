//! Questions. They are asked on a terminal only, and never read what was piped in.

use std::io::{self, IsTerminal};

use mledger::error::Error;

use super::output::Printer;

/// Whether and how a person can be asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prompt {
    yes: bool,
    possible: bool,
}

impl Prompt {
    /// Creates a prompt; `yes` answers every question, `silent` forbids asking.
    pub(crate) fn new(yes: bool, silent: bool) -> Self {
        Self {
            yes,
            possible: !silent && io::stdin().is_terminal() && io::stderr().is_terminal(),
        }
    }

    /// Returns when the answer to `question` is yes.
    ///
    /// # Errors
    ///
    /// A refusal when the answer is no, or when nobody can be asked; `flag` is what would have said
    /// yes.
    pub(crate) fn confirm(
        self,
        printer: &Printer,
        question: &str,
        flag: &str,
    ) -> Result<(), Error> {
        if self.yes {
            return Ok(());
        }
        if !self.possible {
            return Err(Error::refused(
                "not-confirmed",
                format!("{question}: expected a confirmation, found nobody to ask"),
                format!("say yes with `{flag}`"),
            ));
        }
        printer.error(format!("{question}? [y/N]"));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        if read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Error::refused(
            "not-confirmed",
            format!("{question}: expected `yes`, found `{}`", answer.trim()),
            "nothing was done".to_owned(),
        ))
    }

    /// Returns the answer to `question`, typed without being shown.
    ///
    /// # Errors
    ///
    /// A sentence that says why nobody can be asked.
    pub(crate) fn secret(self, printer: &Printer, question: &str) -> Result<String, String> {
        if !self.possible {
            return Err("there is no terminal to ask for its passphrase on".to_owned());
        }
        printer.error(question);
        console::Term::stderr()
            .read_secure_line()
            .map_err(|error| format!("its passphrase could not be read: {error}"))
    }
}

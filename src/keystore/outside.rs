//! Where a private key is, and what signs where it is not at hand.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::Secrets;

/// What signs for a key of which only the public half is at hand.
#[derive(Debug, Clone)]
pub struct Outside {
    /// The socket of an ssh-agent.
    pub agent: Option<PathBuf>,
    /// A program and its arguments; where one is named, it signs and no agent is asked.
    pub program: Vec<String>,
    /// The folder that the program runs in; without one, that of this process.
    pub folder: Option<PathBuf>,
    /// How long one signature may take. Meanwhile whoever signs is waited for, and a run keeps its lease.
    pub limit: Duration,
    /// What is kept out of what the program has to say.
    pub secrets: Secrets,
}

impl Default for Outside {
    fn default() -> Self {
        Self {
            agent: None,
            program: Vec::new(),
            folder: None,
            limit: Duration::from_secs(30),
            secrets: Secrets::default(),
        }
    }
}

/// Where the private half of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In a file.
    File,
    /// In a file, encrypted.
    EncryptedFile,
    /// In a variable.
    Variable,
    /// In a variable, encrypted.
    EncryptedVariable,
    /// In an ssh-agent.
    Agent,
    /// Where a program can reach it.
    Program,
}

impl Kind {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::EncryptedFile => "encrypted_file",
            Self::Variable => "variable",
            Self::EncryptedVariable => "encrypted_variable",
            Self::Agent => "agent",
            Self::Program => "program",
        }
    }
}

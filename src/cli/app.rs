//! One command's surroundings, and the library opened with them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mledger::config::{KeyChoice, mask};
use mledger::context::{Context, Forgetful, Heads, Source};
use mledger::engine::{self, Fault};
use mledger::error::Error;
use mledger::heads::FileHeads;
use mledger::keystore::{Keystore, Outside, Person, Place};
use mledger::lease;
use mledger::migrator::Migrator;
use zeroize::Zeroizing;

use super::args::Global;
use super::failure::usage;
use super::output::Printer;
use super::progress::Watcher;
use super::prompt::Prompt;
use super::signals::Signals;
use super::source;
use super::surroundings::{self, Surroundings};
use super::words;

/// What every command works with.
pub(crate) struct App {
    /// What was typed for every command.
    pub(crate) global: Global,
    /// Prints.
    pub(crate) printer: Arc<Printer>,
    /// What was found around the process.
    pub(crate) around: Surroundings,
    /// Asks.
    pub(crate) prompt: Prompt,
    /// Listens.
    pub(crate) signals: Signals,
    /// The clock and the ids.
    pub(crate) source: Arc<dyn Source>,
}

/// The library, opened on this command's database.
pub(crate) struct Opened {
    /// The only door to it.
    pub(crate) migrator: Migrator,
    /// Shows what it is doing.
    pub(crate) watcher: Arc<Watcher>,
    /// Gives the signing key.
    pub(crate) keystore: Arc<Keystore>,
}

impl App {
    /// Looks around for a command.
    pub(crate) fn new(
        global: &Global,
        printer: Arc<Printer>,
        out_of_order: bool,
    ) -> Result<Self, Error> {
        let around = Surroundings::look(global, out_of_order)?;
        Ok(Self {
            prompt: Prompt::new(global.yes, global.no_input || around.is_ci()),
            signals: Signals::default(),
            source: source::source()?,
            global: global.clone(),
            printer,
            around,
        })
    }

    /// Opens the library for a command that reads.
    pub(crate) async fn reader(&self) -> Result<Opened, Error> {
        self.open().await
    }

    /// Opens the library for a command that writes: from now on signals stop it cleanly.
    pub(crate) async fn writer(&self) -> Result<Opened, Error> {
        let opened = self.open().await?;
        self.signals.work_begins();
        Ok(opened)
    }

    /// Returns the keystore of this command.
    pub(crate) fn keystore(&self) -> Keystore {
        let place = match &self.around.config.key.value {
            KeyChoice::Default => Place::Own(surroundings::own_key()),
            KeyChoice::File(path) => Place::Named(path.clone()),
            KeyChoice::Text(text) => Place::Text(text.clone()),
        };
        let creation = if self.around.is_ci() {
            Err("in a pipeline, where it would be lost (`CI` is set)")
        } else if self.global.no_input {
            Err("with `--no-input`")
        } else {
            Ok(())
        };
        let name = format!("{}@{}", self.around.actor(), self.host());
        let person = AtTheTerminal {
            printer: Arc::clone(&self.printer),
            prompt: self.prompt,
            passphrase: self.around.passphrase().map(Zeroizing::new),
        };
        let config = &self.around.config;
        let mut secrets = config.settings().secrets;
        secrets.extend(self.around.passphrase());
        let outside = Outside {
            agent: self.around.agent(),
            program: config.signer.value.clone(),
            folder: Some(config.project.clone()),
            limit: config.signer_timeout.value,
            secrets,
        };
        Keystore::new(place, name, creation, Arc::new(person)).with_outside(outside)
    }

    /// Returns the host's name.
    pub(crate) fn host(&self) -> String {
        #[cfg(feature = "failpoints")]
        if let Some(host) = super::rehearsal::host() {
            return host;
        }
        surroundings::host()
    }

    /// Refuses a destructive command in a protected environment unless it was confirmed by name.
    pub(crate) async fn confirm_destruction(
        &self,
        opened: &Opened,
        what: &str,
    ) -> Result<(), Error> {
        let config = &self.around.config;
        let environment = match &config.environment.value {
            Some(name) => name.clone(),
            None => opened.migrator.status().await?.environment,
        };
        let confirmed = self.global.confirm.as_deref();
        if let Some(name) = confirmed.filter(|name| *name != environment) {
            return Err(Error::refused(
                "confirmation-differs",
                format!("expected `--confirm {environment}`, found `--confirm {name}`"),
                "check which environment this database belongs to: `mledger status`".to_owned(),
            ));
        }
        if config.rules(&environment).protected && confirmed.is_none() {
            return Err(Error::refused(
                "confirmation-required",
                format!("`{what}` in the protected environment `{environment}` must be confirmed"),
                format!("say so with `--confirm {environment}`"),
            ));
        }
        Ok(())
    }

    async fn open(&self) -> Result<Opened, Error> {
        let config = &self.around.config;
        let engine =
            engine::open(&config.database.value, &config.database_base).map_err(|error| {
                usage(
                    "database-url-invalid",
                    format!("{}: {error}", config.database.origin),
                    "write one such as `sqlite:mledger.db`; `mledger config` shows where each setting comes from",
                )
            })?;
        let heads: Arc<dyn Heads> = match surroundings::heads() {
            Some(folder) => Arc::new(FileHeads::new(folder)),
            None => {
                self.printer
                    .warn("no home folder: heads are not remembered, so truncation goes unseen");
                Arc::new(Forgetful)
            }
        };
        for setting in config.list() {
            tracing::debug!(
                name = setting.name,
                value = setting.value,
                origin = setting.origin,
                "setting"
            );
        }
        let watcher = Arc::new(Watcher::new(Arc::clone(&self.printer)));
        let keystore = Arc::new(self.keystore());
        let context = Context {
            actor: self.around.actor(),
            host: self.host(),
            process: lease::this_process(),
            ci: self.around.ci(),
            tool: concat!("mledger/", env!("CARGO_PKG_VERSION")).to_owned(),
            source: Arc::clone(&self.source),
            observer: Arc::clone(&watcher) as _,
            stop: self.signals.stop(),
            heads,
        };
        let mut settings = config.settings();
        settings.secrets.extend(self.around.passphrase());
        settings.migrations = surroundings::nearby(&settings.migrations);
        if let Some(kept) = &mut settings.checkpoints {
            kept.folder = surroundings::nearby(&kept.folder);
        }
        settings.backup.variables = surroundings::for_programs();
        settings.backup.folder = surroundings::nearby(&settings.backup.folder);
        let migrator = Migrator::new(engine, settings, context, Arc::clone(&keystore) as _);
        if let Some(wait) = self.global.wait {
            self.wait_for(&migrator, wait).await?;
        }
        Ok(Opened {
            migrator,
            watcher,
            keystore,
        })
    }

    /// Tries to connect until something answers; only what may be a server that starts is retried.
    async fn wait_for(&self, migrator: &Migrator, wait: Duration) -> Result<(), Error> {
        const PAUSE: Duration = Duration::from_millis(500);
        let begun = Instant::now();
        let mut announced = false;
        loop {
            let error = match migrator.reach().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let starting =
                matches!(&error, Error::Engine { error, .. } if error.fault == Fault::Unreachable);
            if !starting || begun.elapsed() + PAUSE > wait {
                return Err(error);
            }
            if !announced {
                let most = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                self.printer.note(format!(
                    "waiting up to {} for the database `{}`",
                    words::duration(most),
                    mask(&self.around.config.database.value)
                ));
                announced = true;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

struct AtTheTerminal {
    printer: Arc<Printer>,
    prompt: Prompt,
    passphrase: Option<Zeroizing<String>>,
}

impl Person for AtTheTerminal {
    fn passphrase(&self, place: &str) -> Result<String, String> {
        match &self.passphrase {
            Some(passphrase) => Ok(passphrase.to_string()),
            None => self
                .prompt
                .secret(&self.printer, &format!("passphrase of the key `{place}`:")),
        }
    }

    fn made(&self, path: &Path) {
        self.printer.note(format!(
            "made a signing key at `{}`; keep a copy of it: only a known key can sign here",
            path.display()
        ));
    }
}

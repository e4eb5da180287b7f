//! What the process finds around it: variables, folders, the project, who acts and where.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy, choose_base_strategy};
use ledger::Ci;
use mledger::config::{self, Config, FILE_NAME, Flags, Input, Variables};
use mledger::error::Error;

use super::args::Global;
use super::failure::usage;

/// Variables beside the settings that the command line looks at.
const OTHER_VARIABLES: [&str; 25] = [
    "SSH_AUTH_SOCK",
    "MLEDGER_KEY_PASSPHRASE",
    "CI",
    "GITHUB_ACTIONS",
    "GITHUB_ACTOR",
    "GITHUB_SHA",
    "GITHUB_SERVER_URL",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ID",
    "GITLAB_CI",
    "GITLAB_USER_LOGIN",
    "CI_COMMIT_SHA",
    "CI_JOB_URL",
    "JENKINS_URL",
    "BUILD_USER_ID",
    "GIT_COMMIT",
    "BUILD_URL",
    "BUILDKITE",
    "BUILDKITE_BUILD_CREATOR",
    "BUILDKITE_COMMIT",
    "BUILDKITE_BUILD_URL",
    "CIRCLECI",
    "CIRCLE_USERNAME",
    "CIRCLE_SHA1",
    "CIRCLE_BUILD_URL",
];

/// What was found around the process.
pub(crate) struct Surroundings {
    /// Every setting of this command.
    pub(crate) config: Config,
    /// Where typed paths start from.
    pub(crate) working: PathBuf,
    variables: Variables,
    dotenv: Variables,
}

impl Surroundings {
    /// Looks around and resolves the settings.
    pub(crate) fn look(global: &Global, out_of_order: bool) -> Result<Self, Error> {
        let working = working(global)?;
        let (project, file) = project(&working, global.project.is_some())?;
        let variables = variables()?;
        let dotenv = dotenv(&project)?;
        let config = config::resolve(Input {
            working: working.clone(),
            project,
            file,
            flags: Flags {
                database: global.database.clone(),
                environment: global.env.clone(),
                migrations: global.migrations.clone(),
                key: global.key.clone(),
                lease_wait: global.lease_wait,
                out_of_order,
            },
            variables: variables.clone(),
            dotenv: dotenv.clone(),
        })?;
        Ok(Self {
            config,
            working,
            variables,
            dotenv,
        })
    }

    /// Says whether this is a pipeline.
    pub(crate) fn is_ci(&self) -> bool {
        self.variable("CI")
            .is_some_and(|value| value != "false" && value != "0")
    }

    /// Returns the passphrase of the key, from its variable.
    pub(crate) fn passphrase(&self) -> Option<String> {
        self.variable("MLEDGER_KEY_PASSPHRASE")
            .or_else(|| {
                self.dotenv
                    .get("MLEDGER_KEY_PASSPHRASE")
                    .map(String::as_str)
            })
            .map(str::to_owned)
    }

    /// Returns the socket of the user's ssh-agent.
    pub(crate) fn agent(&self) -> Option<PathBuf> {
        self.variable("SSH_AUTH_SOCK").map(PathBuf::from)
    }

    /// Returns who acts: configured, else the pipeline's, else the operating system's user.
    pub(crate) fn actor(&self) -> String {
        if let Some(actor) = &self.config.actor.value {
            return actor.clone();
        }
        [
            "GITHUB_ACTOR",
            "GITLAB_USER_LOGIN",
            "BUILD_USER_ID",
            "BUILDKITE_BUILD_CREATOR",
            "CIRCLE_USERNAME",
        ]
        .into_iter()
        .filter(|_| self.ci().is_some())
        .find_map(|name| self.variable(name))
        .map(str::to_owned)
        .or_else(|| whoami::username().ok())
        .unwrap_or_else(|| "unknown".to_owned())
    }

    /// Returns which pipeline runs the tool.
    pub(crate) fn ci(&self) -> Option<Ci> {
        let text = |name: &str| self.variable(name).unwrap_or_default().to_owned();
        let (provider, commit, url) = if self.variable("GITHUB_ACTIONS").is_some() {
            let url = format!(
                "{}/{}/actions/runs/{}",
                text("GITHUB_SERVER_URL"),
                text("GITHUB_REPOSITORY"),
                text("GITHUB_RUN_ID")
            );
            ("github", text("GITHUB_SHA"), url)
        } else if self.variable("GITLAB_CI").is_some() {
            ("gitlab", text("CI_COMMIT_SHA"), text("CI_JOB_URL"))
        } else if self.variable("JENKINS_URL").is_some() {
            ("jenkins", text("GIT_COMMIT"), text("BUILD_URL"))
        } else if self.variable("BUILDKITE").is_some() {
            (
                "buildkite",
                text("BUILDKITE_COMMIT"),
                text("BUILDKITE_BUILD_URL"),
            )
        } else if self.variable("CIRCLECI").is_some() {
            ("circleci", text("CIRCLE_SHA1"), text("CIRCLE_BUILD_URL"))
        } else {
            return None;
        };
        Some(Ci {
            commit,
            provider: provider.to_owned(),
            url: config::mask(&url),
        })
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// Returns the variables that programs of others are started with: where they are found, and how they
/// speak. No others, since any may hold a secret.
pub(crate) fn for_programs() -> Vec<(OsString, OsString)> {
    [
        "PATH",
        "LD_LIBRARY_PATH",
        "LANG",
        "LC_ALL",
        "TMPDIR",
        "TZ",
        "SystemRoot",
    ]
    .into_iter()
    .filter_map(|name| Some((name.into(), env::var_os(name)?)))
    .collect()
}

/// Returns a path as seen from the current folder where it lies inside: what is shown of it is
/// then what a person would type.
pub(crate) fn nearby(path: &Path) -> PathBuf {
    let inside = env::current_dir()
        .ok()
        .and_then(|current| path.strip_prefix(current).ok().map(Path::to_owned));
    match inside {
        Some(inside) if inside.as_os_str().is_empty() => PathBuf::from("."),
        Some(inside) => inside,
        None => path.to_owned(),
    }
}

/// Returns the host's name.
pub(crate) fn host() -> String {
    whoami::hostname().unwrap_or_else(|_| "unknown".to_owned())
}

/// Returns the file of the user's own signing key.
pub(crate) fn own_key() -> Option<PathBuf> {
    let base = choose_base_strategy().ok()?;
    Some(base.config_dir().join("mledger").join("id_ed25519"))
}

/// Returns the folder in which heads are remembered.
pub(crate) fn heads() -> Option<PathBuf> {
    let base = choose_base_strategy().ok()?;
    let state = base.state_dir().unwrap_or_else(|| base.data_dir());
    Some(state.join("mledger").join("heads"))
}

fn working(global: &Global) -> Result<PathBuf, Error> {
    let current = env::current_dir().map_err(|error| {
        usage(
            "folder-missing",
            format!("cannot tell the current folder: {error}"),
            "go to a folder that exists, or name one with `-C DIR`",
        )
    })?;
    let Some(named) = &global.project else {
        return Ok(current);
    };
    let folder = current.join(named);
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(usage(
        "folder-missing",
        format!(
            "expected a project folder at `{}`, found none",
            named.display()
        ),
        "check the path that follows `-C`",
    ))
}

type ProjectFile = Option<(PathBuf, String)>;

/// Finds the project folder and reads its configuration file.
fn project(working: &Path, named: bool) -> Result<(PathBuf, ProjectFile), Error> {
    let up_to = if named { 1 } else { usize::MAX };
    for folder in working.ancestors().take(up_to) {
        let path = folder.join(FILE_NAME);
        match fs::read_to_string(&path) {
            Ok(text) => return Ok((folder.to_owned(), Some((nearby(&path), text)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // a parent that others own is no project of ours
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && folder != working => {}
            Err(error) => {
                return Err(usage(
                    "config-unreadable",
                    format!("cannot read `{}`: {error}", path.display()),
                    "check the file and its permissions",
                ));
            }
        }
    }
    Ok((working.to_owned(), None))
}

fn variables() -> Result<Variables, Error> {
    let mut found = BTreeMap::new();
    for name in config::VARIABLES.into_iter().chain(OTHER_VARIABLES) {
        match env::var(name) {
            Ok(value) => {
                found.insert(name.to_owned(), value);
            }
            Err(env::VarError::NotPresent) => {}
            // the value stays out of the message: it may be a secret
            Err(env::VarError::NotUnicode(_)) => {
                return Err(usage(
                    "variable-invalid",
                    format!("expected UTF-8 text in the variable `{name}`, found other bytes"),
                    "correct the variable, or unset it",
                ));
            }
        }
    }
    Ok(found)
}

/// Reads the project's `.env` file; it is neither exported nor looked for in parents.
fn dotenv(project: &Path) -> Result<Variables, Error> {
    let path = project.join(".env");
    let file = match fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Variables::new()),
        Err(error) => {
            return Err(usage(
                "dotenv-invalid",
                format!("cannot read `{}`: {error}", path.display()),
                "check the file and its permissions",
            ));
        }
    };
    let mut found = Variables::new();
    for (index, item) in dotenvy::from_read_iter(file).enumerate() {
        // the parser's own words quote the line, which may hold a password
        let (name, value) = item.map_err(|_| {
            usage(
                "dotenv-invalid",
                format!(
                    "expected `NAME=value` in `{}`, found something else in assignment {}",
                    path.display(),
                    index + 1
                ),
                "quote values that hold spaces, `#` or `$` in single quotes",
            )
        })?;
        found.insert(name, value);
    }
    Ok(found)
}

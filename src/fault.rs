//! Places where a test may make the process die, stop or forget; nothing of it is in a release.

/// The places, in the order in which a first run with two migrations comes by them; then those of a
/// failure, and of an append without the lease.
pub const POINTS: &[&str] = &[
    "key::before-publish",
    "acquire::before-begin",
    "acquire::after-store",
    "acquire::before-append",
    "acquire::before-commit",
    "acquire::after-commit",
    "heads::before-replace",
    "step::before-begin",
    "step::after-begin",
    "step::before-statement",
    "step::after-statement",
    "step::before-check",
    "record::before-fence",
    "record::before-append",
    "record::before-commit",
    "record::after-commit",
    "step::after-commit",
    "run::before-end",
    "failure::before-rollback",
    "failure::after-rollback",
    "alone::before-append",
    "alone::before-commit",
];

/// The places of a backup and of a restore.
pub const BACKUP_POINTS: &[&str] = &[
    "backup::while-writing",
    "backup::before-publish",
    "restore::before-content",
    "restore::within-content",
    "restore::after-content",
];

/// Comes by a place. What happens there is told by the variable `FAILPOINTS` in builds with the
/// feature `failpoints`: `return(kill)` ends the process without a clean-up, `return(stop)` suspends
/// it as SIGSTOP does, and `N*off->…` lets it come by N times first.
#[inline]
pub(crate) fn reach(point: &'static str) {
    #[cfg(feature = "failpoints")]
    if let Some(Some(action)) = fail::eval(point, |action| action) {
        act(&action);
    }
    #[cfg(not(feature = "failpoints"))]
    let _ = point;
}

/// Says whether a test has switched a protection off, to show that the suites notice.
#[inline]
pub(crate) fn without(protection: &'static str) -> bool {
    #[cfg(feature = "failpoints")]
    {
        fail::eval(protection, |_| ()).is_some()
    }
    #[cfg(not(feature = "failpoints"))]
    {
        let _ = protection;
        false
    }
}

#[cfg(feature = "failpoints")]
fn act(action: &str) {
    let signal = match action {
        "kill" => "-KILL",
        "stop" => "-STOP",
        _ => return,
    };
    let id = std::process::id().to_string();
    let sent = std::process::Command::new("kill")
        .args([signal, &id])
        .status();
    if sent.is_err() {
        std::process::abort();
    }
}

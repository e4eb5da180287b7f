//! Opening a connection.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, MySqlConnection};

use super::address::Target;
use super::details::Details;
use super::fault;
use crate::engine::{Access, EngineError, Fault};

/// How long signing in may take; a server that accepts and then says nothing is not there.
const PATIENCE: Duration = Duration::from_secs(30);

/// Opens a connection for `access`.
pub(super) async fn open(
    target: &Target,
    access: Access,
) -> Result<(MySqlConnection, Details), EngineError> {
    let options = target
        .options_for_schema()
        // the driver's log would repeat the statements of scripts, and the secrets in them
        .disable_statement_logging();
    let mut connection = within(target, options.connect()).await?;
    // the driver asks for IGNORE_SPACE, which is no business of ours
    let mut prepare = "SET SESSION sql_mode = @@GLOBAL.sql_mode".to_owned();
    match access {
        Access::Read => prepare += "; SET SESSION TRANSACTION READ ONLY",
        Access::Write => {}
        // no setting that others may see is free for it; who may look into sessions finds it there
        Access::Run(run) => prepare += &format!("; SET @mledger_run = '{run}'"),
    }
    let details = Details::of(&mut connection, &prepare).await?;
    Ok((connection, details))
}

/// Opens a connection beside the working one, to end what that one does; in no schema, since there
/// may be none any more.
pub(super) async fn beside(target: &Target) -> Result<MySqlConnection, EngineError> {
    let options = target.options().disable_statement_logging();
    within(target, options.connect()).await
}

async fn within(
    target: &Target,
    connecting: impl Future<Output = Result<MySqlConnection, sqlx::Error>>,
) -> Result<MySqlConnection, EngineError> {
    let server = target.server();
    // the driver's error would not tell a file from the server
    if let Some((path, error)) = target.unreadable_file() {
        return Err(EngineError::new(
            Fault::Denied,
            format!("the file `{}` cannot be read: {error}", path.display()),
        ));
    }
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(answer) => answer.map_err(|error| fault::from_sign_in(&server, error)),
        Err(_) => Err(EngineError::new(
            Fault::Unreachable,
            format!(
                "`{server}` accepted the connection and did not answer within {} s",
                PATIENCE.as_secs()
            ),
        )),
    }
}

/// Closes a connection; the server learns of it at once.
pub(super) async fn close(connection: MySqlConnection) -> Result<(), EngineError> {
    connection.close().await.map_err(fault::from_driver)
}

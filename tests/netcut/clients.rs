//! The proxy itself, tried with the databases' own clients.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::{Command, Output, Stdio};

use crate::every_message::parts;
use crate::proxy::{Act, At, Proxy};
use crate::support::engines::{Database, Kind, Wire};

/// A client that is not ours, connected through the proxy.
fn ask(kind: &Kind, database: &dyn Database, proxy: &Proxy, sql: &str) -> Output {
    let (before, _, behind) = parts(&database.url());
    let address = proxy.address();
    let mut command = match kind.wire.unwrap() {
        Wire::Letters => {
            let mut command = Command::new("psql");
            command.args(["--no-psqlrc", "-qAt", "--command", sql]);
            command.arg(format!("{before}{address}{behind}"));
            command
        }
        Wire::Packets => {
            let mut command = Command::new("mariadb");
            command.args(["--no-defaults", "--protocol=tcp", "--user=root", "-BN"]);
            command.args([format!("--host={}", address.ip())]);
            command.args([format!("--port={}", address.port())]);
            command.args(["-e", sql, behind.trim_start_matches('/')]);
            command
        }
    };
    command.stdin(Stdio::null()).output().unwrap()
}

fn proxy(kind: &Kind, database: &dyn Database, at: At, act: Act) -> Proxy {
    let (_, server, _) = parts(&database.url());
    Proxy::start(server, kind.wire.unwrap(), at, act)
}

fn what_is_not_touched_arrives(kind: &Kind) {
    let database = kind.fresh();
    database.ask("CREATE TABLE a (id INTEGER)");
    let proxy = proxy(kind, &*database, At::Message(1000), Act::CutBefore);
    let long = "x".repeat(100_000);
    let output = ask(kind, &*database, &proxy, &format!("SELECT '{long}'"));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), long);
    // how a client takes its leave may come after it has ended
    assert!(proxy.messages() >= 2, "{}", proxy.messages());
    assert!(!proxy.has_struck());
}

fn what_is_cut_did_not_arrive_and_what_is_lost_did(kind: &Kind) {
    for (act, rows) in [
        (Act::CutBefore, "0\n"),
        (Act::LoseTheAnswer, "1\n"),
        (Act::HalveTheAnswer, "1\n"),
    ] {
        let database = kind.fresh();
        database.ask("CREATE TABLE a (id INTEGER)");
        let proxy = proxy(kind, &*database, At::Text("insert", 1), act);
        let output = ask(kind, &*database, &proxy, "INSERT INTO a VALUES (1)");
        assert!(!output.status.success(), "{act:?}: {output:?}");
        assert!(proxy.has_struck());
        assert!(
            proxy.message().contains("INSERT INTO a"),
            "{}",
            proxy.message()
        );
        assert_eq!(database.ask("SELECT count(*) FROM a"), rows, "{act:?}");
    }
}

on_each_server!(
    what_is_not_touched_arrives,
    what_is_cut_did_not_arrive_and_what_is_lost_did,
);

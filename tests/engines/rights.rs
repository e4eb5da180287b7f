//! The least rights in the database, used by those who have them; and bytes that are erased.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::ledger::{Code, Digest, Role, Severity};
use mledger::request::{Authorize, Back, Redact, Verify};

use crate::place::on_every_engine;
use crate::shop::{Person, Shop, refused};
use crate::support::engines::{Kind, MYSQL, POSTGRES};
use crate::support::{Ended, Project};

/// How users come and go on a server.
struct Server {
    kind: Kind,
    make: &'static str,
    drop: &'static [&'static str],
}

const SERVERS: [Server; 2] = [
    Server {
        kind: POSTGRES,
        make: "CREATE ROLE WHO LOGIN",
        drop: &["DROP OWNED BY WHO", "DROP ROLE WHO"],
    },
    Server {
        kind: MYSQL,
        make: "CREATE USER WHO",
        drop: &["DROP USER WHO"],
    },
];

/// What somebody does: the user of the database they sign in as, and the role of their key.
const WORKS: [(&str, &str); 3] = [
    ("runner", "operator"),
    ("approver", "approver"),
    ("auditor", "auditor"),
];

fn user(work: &str) -> String {
    format!("{work}_{}", std::process::id())
}

/// Runs the program as a user of the database, with the key of `key`.
fn run(project: &Project, work: &str, key: &str, arguments: &[&str]) -> Ended {
    let url = project.place.url();
    let (scheme, rest) = url.split_once("://").unwrap();
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let url = format!("{scheme}://{}@{place}", user(work));
    let key = project.path().join(key);
    let variables = [
        ("DATABASE_URL", &*url),
        ("MLEDGER_KEY_FILE", key.to_str().unwrap()),
    ];
    project.run_with(arguments, &variables)
}

fn assert_rights(project: &Project) {
    let ok = |work: &str, arguments: &[&str]| {
        let ended = run(project, work, work, arguments);
        assert_eq!(ended.code, 0, "{work} {arguments:?}: {ended:#?}");
    };
    // the right key in the wrong hands: what refuses it is the database
    let refused = |work: &str, key: &str, arguments: &[&str]| {
        let ended = run(project, work, key, arguments);
        assert_ne!(ended.code, 0, "{work} {arguments:?}: {ended:#?}");
        let said = ended.stderr.to_lowercase();
        assert!(said.contains("denied"), "{work} {arguments:?}: {ended:#?}");
    };
    ok("runner", &["up"]);
    project.write(
        "migrations/2_b.sql",
        "-- UP\nCREATE TABLE b (id INTEGER);\n",
    );
    let plan = project.json(&["plan"]);
    let digest = plan["plan"].as_str().unwrap();
    ok("approver", &["approve", digest]);
    refused("approver", "runner", &["up"]);
    refused("auditor", "approver", &["approve", digest]);
    refused("auditor", "runner", &["up"]);
    ok("auditor", &["verify"]);
    ok("auditor", &["export", "taken-home", "--no-record"]);
    assert_eq!(project.applied(), ["1"], "nothing of it has happened");
    ok("runner", &["up"]);
    assert_eq!(project.applied(), ["1", "2"]);
    assert_eq!(project.run(&["verify"]).code, 0);
}

#[test]
fn each_has_the_rights_of_their_work_and_no_more() {
    for server in SERVERS {
        let project = Project::on(&server.kind);
        project.ok(&["init"]);
        project.write(
            "migrations/1_a.sql",
            "-- UP\nCREATE TABLE a (id INTEGER);\n",
        );
        for (work, role) in WORKS {
            project.ask(&server.make.replace("WHO", &user(work)));
            project.ok(&["key", "new", "--out", work]);
            project.ok(&["key", "prove", "--key", work, "--out", "proof"]);
            let authorize = ["key", "authorize", "proof", "--name", work, "--role", role];
            project.ok(&authorize);
            project.remove("proof");
        }
        let [runner, approver, auditor] = WORKS.map(|(work, _)| user(work));
        let granted = project.json(&[
            "grants",
            "--runner",
            &runner,
            "--approver",
            &approver,
            "--auditor",
            &auditor,
        ]);
        for grant in granted["grants"].as_array().unwrap() {
            for statement in grant["statements"].as_array().unwrap() {
                project.ask(statement.as_str().unwrap());
            }
        }
        let done =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| assert_rights(&project)));
        for (work, _) in WORKS {
            for sql in server.drop {
                project.ask(&sql.replace("WHO", &user(work)));
            }
        }
        done.unwrap_or_else(|cause| std::panic::resume_unwind(cause));
    }
    let granted = Project::new();
    granted.ok(&["init"]);
    let said = granted.ok(&["grants"]).stdout;
    assert!(said.contains("no users") && said.contains("640"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_bytes_are_gone_and_everybody_says_why() {
    on_every_engine(async |kind, database| {
        let engine = kind.name;
        let secret = "INSERT INTO a VALUES (4711);";
        let shop = Shop::new(database);
        shop.migration(
            "1_a",
            &format!("CREATE TABLE a (id INTEGER);\n{secret}"),
            "DROP TABLE a;",
        );
        shop.up().await.unwrap();
        let dana = shop.migrator();
        let script = dana.status().await.unwrap().migrations[0].checksum;
        let redact = |digest: Digest| Redact {
            digest,
            reason: "a card number".to_owned(),
            confirmed: None,
        };
        let unknown = dana.redact(&redact(Digest::of(b"nothing"))).await;
        refused(unknown, "object-unknown", 2);
        let ops = Person(9, "ops");
        let request = Authorize {
            proof: shop.migrator_of(ops, |_| {}).prove_key(None).await.unwrap(),
            name: "ops".to_owned(),
            roles: vec![Role::Operator],
        };
        dana.authorize_key(&request).await.unwrap();
        let not_theirs = shop.migrator_of(ops, |_| {}).redact(&redact(script)).await;
        refused(not_theirs, "key-not-authorised", 3);
        assert!(dana.object(&script).await.unwrap().is_some(), "{engine}");

        let decided = dana.redact(&redact(script)).await.unwrap();
        assert!(
            decided.message.contains("its file is needed"),
            "{decided:?}"
        );
        refused(dana.redact(&redact(script)).await, "object-unknown", 2);
        assert_eq!(dana.object(&script).await.unwrap(), None, "{engine}");
        let report = dana.verify(&Verify::default()).await.unwrap();
        let said: Vec<_> = report
            .findings
            .iter()
            .filter(|found| found.code == Code::ObjectMissing)
            .map(|found| (found.severity, found.message.contains("owner's decision")))
            .collect();
        assert_eq!(said, [(Severity::Warning, true)], "{engine}");
        // without the file there is nothing left to roll back with
        shop.remove("1_a");
        let error = refused(shop.down(Back::All).await, "object-missing", 4);
        assert!(
            error.to_string().contains("were erased"),
            "{engine}: {error}"
        );
        shop.migration(
            "1_a",
            &format!("CREATE TABLE a (id INTEGER);\n{secret}"),
            "DROP TABLE a;",
        );
        assert_eq!(
            shop.down(Back::All).await.unwrap().rolled_back,
            1,
            "{engine}"
        );
    })
    .await;
}

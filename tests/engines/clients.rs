//! The clients and the data that this suite judges by, tried on their own.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::corpora::{fixtures, pairs};
use crate::support::engines::{Database, Kind, MYSQL, POSTGRES};

const SERVERS: [Kind; 2] = [POSTGRES, MYSQL];

#[test]
fn a_client_asks_runs_and_dumps() {
    for kind in SERVERS {
        let database = kind.fresh();
        assert_eq!(database.ask(kind.tables), "", "{}", kind.name);
        assert_eq!(database.ask(kind.definitions), "", "{}", kind.name);
        let empty = database.content();
        let script = "\u{feff}CREATE TABLE a (id INTEGER, b TEXT);\nINSERT INTO a VALUES (1, 'x y'), (2, '');\n";
        assert_eq!(database.run(script), Ok(()));
        assert_eq!(
            database.ask("SELECT id, b FROM a ORDER BY id"),
            "1|x y\n2|\n"
        );
        assert!(
            database.ask(kind.definitions).contains("a|"),
            "{}",
            kind.name
        );
        let content = database.content();
        assert!(content.contains("x y"), "{content}");
        let error = database.run("CREATE TABLE b (id INTEGER);\nSELECT * FROM nowhere;\n");
        assert!(error.unwrap_err().contains("nowhere"));
        if kind.transactional {
            assert_eq!(database.content(), content);
        }
        // another database of the same content dumps to the same text
        let other = kind.fresh();
        assert_eq!(other.content(), empty);
        assert_eq!(other.run(script), Ok(()));
        assert_eq!(other.content(), content);
    }
}

/// Each leak is noticed where two scripts share a session, and only there.
#[test]
fn a_later_script_notices_what_was_left_behind() {
    for kind in SERVERS {
        for leak in kind.leaks {
            let together = kind.fresh();
            let both = format!("{}\n{}", leak.script, leak.later);
            assert!(in_one_session(&*together, &both).is_err(), "{}", leak.name);
            let apart = kind.fresh();
            assert_eq!(
                in_one_session(&*apart, leak.script),
                Ok(()),
                "{}",
                leak.name
            );
            assert_eq!(in_one_session(&*apart, leak.later), Ok(()), "{}", leak.name);
        }
    }
}

/// The histories that the tool is held against work where nothing of ours is involved.
#[test]
fn the_fixtures_go_up_and_down_with_the_plain_client() {
    for kind in SERVERS {
        let database = kind.fresh();
        let empty = database.content();
        let history = pairs(&fixtures(&kind));
        for (name, up, _) in &history {
            assert_eq!(database.run(up), Ok(()), "{name}");
        }
        for (name, _, down) in history.iter().rev() {
            let down = down.as_deref().unwrap_or_default();
            assert_eq!(database.run(down), Ok(()), "{name}");
        }
        assert_eq!(database.content(), empty, "{}", kind.name);
        assert!(history.len() > 6, "{}", kind.name);
    }
}

/// One session, each statement in a transaction of its own.
fn in_one_session(database: &dyn Database, script: &str) -> Result<(), String> {
    database.attempt(script).map(drop)
}

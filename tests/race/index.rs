//! F03: an index that is made without keeping writers out waits for every snapshot of the database, so
//! those who wait for the run's lease must hold none.

use std::thread;
use std::time::Duration;

use crate::oracle::facts;
use crate::processes::Running;
use crate::support::Project;
use crate::support::engines::POSTGRES;

const ROWS: &str = "-- UP
CREATE TABLE filled (id INTEGER, text TEXT);
INSERT INTO filled SELECT n, md5(n::text) FROM generate_series(1, 200000) AS n;
";

/// Sessions of ours that hold a snapshot or a transaction, or wait for a lock.
const IN_THE_WAY: &str = "SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'mledger%' AND pid <> pg_backend_pid()
    AND (backend_xmin IS NOT NULL AND state = 'idle' OR state LIKE 'idle in transaction%'
        OR wait_event_type = 'Lock')";

#[test]
fn an_index_is_made_while_five_wait() {
    let project = Project::on(&POSTGRES);
    project.write("migrations/1_rows.sql", ROWS);
    project.ok(&["up"]);
    project.write(
        "migrations/2_index.sql",
        "-- UP\nCREATE INDEX CONCURRENTLY filled_by_text ON filled (text);\n",
    );
    let faults = "step::before-statement=1*return(stop)";
    let mut holder = Running::stopped_at(&project, &["up"], faults);
    let waiters = [(); 5].map(|()| Running::start(&project, &["up"], &[]));
    thread::sleep(Duration::from_millis(800));
    let ours = "SELECT count(*) > 5 FROM pg_stat_activity WHERE datname = current_database() AND \
                application_name LIKE 'mledger%'";
    assert_eq!(project.ask(ours), "t\n", "the waiters are connected");
    for _ in 0..20 {
        assert_eq!(project.ask(IN_THE_WAY), "0\n");
        thread::sleep(Duration::from_millis(20));
    }
    holder.signal("CONT");
    let ended = holder.ends();
    assert_eq!(ended.code, 0, "{ended:#?}");
    for waiter in waiters {
        let ended = waiter.ends();
        assert_eq!(ended.code, 0, "{ended:#?}");
        assert!(ended.stdout.contains("nothing to do"), "{ended:#?}");
    }
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'filled_by_text'::regclass";
    assert_eq!(project.ask(valid), "t\n");
    assert_eq!(project.run(&["verify"]).code, 0);
    assert_eq!(facts(&project).applied(), ["1", "2"]);
    assert_eq!(facts(&project).count("run.started"), 2);
}

//! A process that dies while it takes over another tool's history leaves all of the marks or none.

use crate::processes::KILLED;
use crate::support::Project;
use crate::support::engines::ENGINES;

/// What golang-migrate leaves, after two of three migrations.
const LEFT: &str = "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT \
                    NULL); INSERT INTO schema_migrations VALUES (2, FALSE)";

#[test]
fn a_history_is_taken_over_whole_or_not_at_all() {
    for kind in ENGINES {
        for point in [
            "acquire::before-begin",
            "acquire::after-store",
            "acquire::before-append",
            "acquire::before-commit",
            "acquire::after-commit",
        ] {
            let project = Project::on(kind);
            for number in 1..=3 {
                let name = format!("migrations/{number}_m{number}.up.sql");
                project.write(&name, &format!("CREATE TABLE m{number} (id INTEGER);\n"));
            }
            project.ask(LEFT);
            let what = format!("{}, {point}", kind.name);
            let faults = format!("{point}=1*return(kill)");
            let ended = project.run_with(&["adopt"], &[("FAILPOINTS", &faults)]);
            assert_eq!(ended.code, KILLED, "{what}: {ended:#?}");
            let left = project.applied();
            if point == "acquire::after-commit" {
                assert_eq!(left, ["1", "2"], "{what}");
                project.fails(3, &["adopt"]);
            } else {
                assert_eq!(left, [""; 0], "{what}");
                project.ok(&["adopt"]);
            }
            assert_eq!(project.applied(), ["1", "2"], "{what}");
            project.ok(&["verify"]);
            project.ok(&["up"]);
            assert_eq!(project.applied(), ["1", "2", "3"], "{what}");
        }
    }
}

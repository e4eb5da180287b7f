//! Backups that are made while others write: what comes back was there at one moment.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use mledger::request::{Approve, Up};

use crate::backups::Safe;
use crate::place::on_every_engine;
use crate::shop::Shop;

/// What both accounts hold together, whoever moves how much between them.
const TOTAL: &str = "1000\n";

/// Moves one from the account that is saved first to the one that is saved last.
const MOVE: &str = "UPDATE a_account SET held = held - 1; UPDATE z_account SET held = held + 1;";

/// As many rows as take a while to be saved lie between the accounts.
const DOUBLINGS: u32 = 15;

/// Tells who writes to stop when it is dropped.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn accounts() -> String {
    let mut script = "CREATE TABLE a_account (held INTEGER NOT NULL);\n\
         INSERT INTO a_account VALUES (900);\n\
         CREATE TABLE m_between (id INTEGER PRIMARY KEY, filling VARCHAR(100));\n\
         INSERT INTO m_between VALUES (0, 'as much as takes a while to be read and to be written');\n"
        .to_owned();
    for doubling in 0..DOUBLINGS {
        let rows = 1 << doubling;
        script += &format!("INSERT INTO m_between SELECT id + {rows}, filling FROM m_between;\n");
    }
    script
        + "CREATE TABLE z_account (held INTEGER NOT NULL);\nINSERT INTO z_account VALUES (100);\n"
}

/// F122
#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_while_others_write_is_of_one_moment() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(database, &[("1_accounts", &accounts(), "")]);
        shop.migration("2_later", "CREATE TABLE later (id INTEGER);", "");
        let safe = Safe::new(shop);
        let up_to = Up {
            count: Some(1),
            ..Up::default()
        };
        safe.migrator().up(&up_to).await.unwrap();
        let plan = safe.migrator().plan_up(&Up::default()).await.unwrap().plan;
        let before = safe.shop.status().await.ledger.unwrap().size;
        let (stop, moved) = (AtomicBool::new(false), AtomicU32::new(0));
        let mut taken = Vec::new();
        thread::scope(|scope| {
            // also where something here fails
            let _stops = Stops(&stop);
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    // a file may be busy: then nothing was moved
                    match safe.shop.database.run(MOVE) {
                        Ok(()) => drop(moved.fetch_add(1, Ordering::SeqCst)),
                        Err(error) => assert!(error.contains("locked"), "{error}"),
                    }
                }
            });
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    let saving = async {
                        for _ in 0..2 {
                            let moves = moved.load(Ordering::SeqCst);
                            taken.push(safe.take().await);
                            assert!(
                                moved.load(Ordering::SeqCst) > moves,
                                "{}: somebody wrote meanwhile",
                                kind.name
                            );
                        }
                        stop.store(true, Ordering::SeqCst);
                    };
                    let appending = async {
                        while !stop.load(Ordering::SeqCst) {
                            let approval = Approve {
                                plan,
                                object: None,
                                comment: None,
                                lasts: None,
                            };
                            safe.migrator().approve(&approval).await.unwrap();
                        }
                    };
                    tokio::join!(saving, appending);
                });
            });
        });
        let size = safe.shop.status().await.ledger.unwrap().size;
        assert!(
            size >= before + 4,
            "others appended too: {before} to {size}"
        );
        for backup in taken {
            let id = backup.id.to_string();
            let tested = safe.migrator().rehearse_backup(&id).await.unwrap();
            let tested = tested.restore_test.unwrap();
            assert_eq!(tested.tables, 3);
            assert!((before..size).contains(&tested.ledger_size));
            safe.migrator().restore_backup(&id).await.unwrap();
            let sum = "SELECT (SELECT held FROM a_account) + (SELECT held FROM z_account)";
            assert_eq!(safe.shop.ask(sum), TOTAL, "{}", kind.name);
            safe.migrator()
                .accept_backup(&id, "it adds up")
                .await
                .unwrap();
        }
        Shop::assert_intact(&safe.shop.verify().await);
    })
    .await;
}

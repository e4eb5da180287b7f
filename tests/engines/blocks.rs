//! Statements that only mean something together, where a database has such.

use mledger::report::State;

use crate::shop::{Shop, refused};
use crate::support::engines::MYSQL;

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_fails_half_way_is_partial() {
    let shop = Shop::with(MYSQL.fresh(), &[]);
    shop.migration("1_a", "CREATE TABLE a (id INTEGER);", "");
    // a change of the schema leaves nothing of itself when it fails, and all of what came before it
    shop.migration(
        "2_block",
        "LOCK TABLES a WRITE;\nINSERT INTO a VALUES (1);\nALTER TABLE a ADD COLUMN id INTEGER;\n\
         UNLOCK TABLES;",
        "",
    );
    refused(shop.up().await, "migration-failed", 1);
    assert_eq!(shop.ask("SELECT id FROM a"), "1\n");
    assert_eq!(shop.state("2").await, Some(State::Partial));
    refused(shop.up().await, "migration-partial", 7);
    Shop::assert_intact(&shop.verify().await);
}

//! About how large tables are, where more is there than is looked at.

use super::{Place, run};
use crate::lint::Sizes;

/// So many rows of a kilobyte fill more pages than are looked at.
const ROWS: u64 = 4000;

async fn sizes(place: &Place, tables: &[&str]) -> Sizes {
    let tables: Vec<String> = tables.iter().map(|table| (*table).to_owned()).collect();
    place.reader().await.table_sizes(&tables).await.unwrap()
}

#[tokio::test]
async fn a_large_table_is_measured_by_a_part_of_it() {
    let place = Place::with_store().await;
    let mut connection = place.raw().await;
    for sql in [
        "CREATE TABLE large (id INTEGER PRIMARY KEY, body TEXT)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 4000) \
             INSERT INTO large SELECT i, hex(randomblob(500)) FROM n",
        "CREATE TABLE keyed (id TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 4000) \
             INSERT INTO keyed SELECT i, hex(randomblob(500)) FROM n",
        "CREATE TABLE \"it's\"\"small\" (id INTEGER)",
        "INSERT INTO \"it's\"\"small\" VALUES (1), (2)",
    ] {
        run(&mut connection, sql).await;
    }
    let asked = ["LARGE", "keyed", "it's\"small", "nowhere"];
    let known = sizes(&place, &asked).await;
    let large = known["large"];
    assert_eq!(large.rows, Some(ROWS), "the range of its row ids");
    assert!((4_000_000..6_000_000).contains(&large.bytes), "{large:?}");
    assert_eq!(known["it's\"small"].rows, Some(2));
    assert!(
        !known.contains_key("keyed"),
        "nothing says how many rows it has: {known:?}"
    );

    run(&mut connection, "CREATE INDEX by_body ON large (body)").await;
    run(&mut connection, "ANALYZE").await;
    let known = sizes(&place, &asked).await;
    assert!(
        known["large"].bytes > large.bytes * 3 / 2,
        "its index counts"
    );
    assert_eq!(known["keyed"].rows, Some(ROWS), "as it was counted");
    assert!(known["keyed"].bytes > 3_000_000, "{known:?}");
}

//! The locks under which other tools write their tables.
//!
//! While a history is taken over, the tool whose it is must not go on. Where it locks out its own kind in
//! a way that others can see, that lock is asked for.

use super::TableName;
use super::checksum::crc32;

/// What a tool's lock is made of.
#[derive(Debug, Clone, Copy)]
pub struct Whereabouts<'a> {
    /// The database.
    pub database: &'a str,
    /// The schema in which scripts find what they do not qualify.
    pub schema: &'a str,
    /// The tool's table.
    pub table: &'a TableName,
}

/// A lock. Of those that a tool takes, each kind of database has the ones of its own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// A number, by which sessions agree.
    Number(i64),
    /// A name, by which they do.
    Name(String),
    /// A row, in which a column says whether somebody holds it.
    Row {
        /// The table of the row.
        table: TableName,
        /// It is true while the lock is held.
        column: &'static str,
    },
}

/// What became of asking for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    /// Nobody held it; where the database has locks that last as long as a transaction, it is ours till then.
    Free,
    /// Somebody holds it.
    Held,
    /// None was given that this kind of database has.
    Unknown,
}

/// sqlx: by the database's name.
pub(super) fn sqlx(at: &Whereabouts<'_>) -> Vec<Lock> {
    // a number of 32 bits times one of 30 has no more than 62
    let number = i64::from(crc32([at.database])) * 0x3d32_ad9e;
    vec![Lock::Number(number), Lock::Name(format!("{number:x}"))]
}

/// golang-migrate: by schema, table and database, or by the database alone in older releases.
pub(super) fn golang_migrate(at: &Whereabouts<'_>) -> Vec<Lock> {
    const SALT: u32 = 1_486_364_155;
    let schema = at.table.schema.as_deref().unwrap_or(at.schema);
    let table = &at.table.name;
    let database = at.database;
    let sum = |text: String| crc32([text]).wrapping_mul(SALT);
    let numbers = [
        format!("{schema}\0{table}\0{database}"),
        format!("{schema}\0{database}"),
        database.to_owned(),
    ];
    let names = [format!("{database}:{table}"), database.to_owned()];
    numbers
        .map(|text| Lock::Number(i64::from(sum(text))))
        .into_iter()
        .chain(names.map(|text| Lock::Name(sum(text).to_string())))
        .collect()
}

/// Flyway: by the quoted name of its table.
pub(super) fn flyway(at: &Whereabouts<'_>) -> Vec<Lock> {
    const MAGIC: i64 = 77_431_708_279_161;
    let schema = at.table.schema.as_deref().unwrap_or(at.schema);
    let quoted = |quote: char, schema: &str| {
        java_hash(&format!(
            "{quote}{schema}{quote}.{quote}{}{quote}",
            at.table.name
        ))
    };
    vec![
        Lock::Number(MAGIC + i64::from(quoted('"', schema))),
        Lock::Name(format!("Flyway-{}", quoted('`', at.database))),
    ]
}

/// ActiveRecord: by the database's name.
pub(super) fn rails(at: &Whereabouts<'_>) -> Vec<Lock> {
    // a number of 32 bits times one of 31 has no more than 63
    let number = i64::from(crc32([at.database])) * 2_053_462_845;
    vec![Lock::Number(number), Lock::Name(number.to_string())]
}

/// node-pg-migrate: the same everywhere.
pub(super) fn node_pg_migrate(_at: &Whereabouts<'_>) -> Vec<Lock> {
    vec![Lock::Number(7_241_865_325_823_964)]
}

/// knex: a row beside its table.
pub(super) fn knex(at: &Whereabouts<'_>) -> Vec<Lock> {
    vec![row(at, "knex_migrations_lock", "is_locked")]
}

/// yoyo: the same.
pub(super) fn yoyo(at: &Whereabouts<'_>) -> Vec<Lock> {
    vec![row(at, "yoyo_lock", "locked")]
}

/// A row of a table beside the tool's own.
fn row(at: &Whereabouts<'_>, table: &str, column: &'static str) -> Lock {
    Lock::Row {
        table: TableName {
            schema: at.table.schema.clone(),
            name: table.to_owned(),
        },
        column,
    }
}

/// Returns what `String.hashCode` of Java does.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |sum, unit| {
        sum.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number is the one that ActiveRecord 6.1 makes for the database `shop`.
    #[test]
    fn the_lock_of_rails_is_made_of_the_name() {
        let at = Whereabouts {
            database: "shop",
            schema: "public",
            table: &TableName {
                schema: None,
                name: "schema_migrations".to_owned(),
            },
        };
        assert_eq!(rails(&at)[0], Lock::Number(5_939_944_341_529_942_170));
    }

    #[test]
    fn the_hash_of_java_comes_out() {
        // the example of the Java tutorial's readers: both have one hash
        assert_eq!(java_hash("Aa"), 2112);
        assert_eq!(java_hash("BB"), 2112);
        assert_eq!(java_hash("polygenelubricants"), i32::MIN);
    }
}

//! What is in the database of the objects that a statement names, for a person who must say whether
//! the statement took effect.

use super::fault::Of;
use super::link::{self, Link};
use super::literal;
use super::words::Words;
use crate::engine::EngineError;

/// Indexes that are there and cannot be used.
const INVALID: &str = "SELECT pg_catalog.format('the index %I.%I is INVALID: an attempt to build it \
         failed or still runs; drop it with `DROP INDEX CONCURRENTLY %I.%I` before another try', \
         nspname, relname, nspname, relname) \
     FROM pg_catalog.pg_index \
     JOIN pg_catalog.pg_class ON pg_class.oid = indexrelid \
     JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace \
     WHERE NOT indisvalid AND relkind = 'i' ORDER BY 1";

/// Returns sentences about what the statement names, and about every index that is invalid.
pub(super) async fn examine(
    link: &mut Link,
    prefix: &str,
    sql: &str,
) -> Result<Vec<String>, EngineError> {
    // names without a schema are looked for where the script looks for them
    let path = "SET LOCAL search_path TO DEFAULT; ";
    let queries: Vec<String> = questions(sql)
        .into_iter()
        .chain([INVALID.to_owned()])
        .collect();
    let sql = format!("{prefix}{path}{}", queries.join("; "));
    let rows = link.ask(&sql, Of::Ours).await?;
    let mut sentences = Vec::with_capacity(rows.len());
    for row in &rows {
        sentences.extend(link::text(row, 0)?);
    }
    Ok(sentences)
}

/// Returns queries of one column, whose rows are sentences.
fn questions(sql: &str) -> Option<String> {
    let mut words = Words::of(sql);
    if words.take(&["CREATE"]) {
        let unique = words.take(&["UNIQUE"]);
        if words.take(&["INDEX"]) {
            words.take(&["CONCURRENTLY"]);
            return new_index(words);
        }
        return (!unique).then(|| object(words)).flatten();
    }
    if words.take(&["DROP"]) {
        return object(words);
    }
    if words.take(&["ALTER", "TYPE"]) {
        return new_value(words);
    }
    if words.take(&["ALTER", "TABLE"]) && words.skip_to("DETACH") && words.take(&["PARTITION"]) {
        return detached(&words.name()?);
    }
    None
}

fn new_index(mut words: Words) -> Option<String> {
    words.take(&["IF", "NOT", "EXISTS"]);
    if words.take(&["ON"]) {
        // without a name the server makes one up
        return None;
    }
    let index = literal::text(&words.bare_name()?);
    words.take(&["ON"]).then_some(())?;
    words.take(&["ONLY"]);
    let table = literal::text(&words.name()?);
    Some(format!(
        "SELECT pg_catalog.format('the index %I is %s', {index}, coalesce(( \
             SELECT CASE WHEN indisvalid THEN 'there and valid' ELSE 'there and INVALID' END \
             FROM pg_catalog.pg_index \
             JOIN pg_catalog.pg_class ON pg_class.oid = indexrelid \
             WHERE indrelid = pg_catalog.to_regclass({table}) AND relname = {index}), 'not there'))"
    ))
}

fn new_value(mut words: Words) -> Option<String> {
    let kind = literal::text(&words.name()?);
    words.take(&["ADD", "VALUE"]).then_some(())?;
    words.take(&["IF", "NOT", "EXISTS"]);
    let value = literal::text(&words.string()?);
    Some(format!(
        "SELECT pg_catalog.format('the value %L of the type %s is %s', {value}, {kind}, \
             CASE WHEN EXISTS ( \
                 SELECT 1 FROM pg_catalog.pg_enum \
                 WHERE enumtypid = pg_catalog.to_regtype({kind}) AND enumlabel = {value}) \
             THEN 'there' ELSE 'not there' END)"
    ))
}

fn detached(partition: &str) -> Option<String> {
    let name = literal::text(partition);
    Some(format!(
        "SELECT pg_catalog.format('the table %s is %s', {name}, coalesce(( \
             SELECT CASE WHEN inhdetachpending \
                 THEN 'half detached: `ALTER TABLE … DETACH PARTITION … FINALIZE` ends that' \
                 ELSE 'attached' END \
             FROM pg_catalog.pg_inherits WHERE inhrelid = pg_catalog.to_regclass({name})), \
             'not attached'))"
    ))
}

/// An object that is made or dropped by its name.
fn object(mut words: Words) -> Option<String> {
    let shared = [
        (&["DATABASE"][..], "database", "pg_database", "datname"),
        (&["TABLESPACE"], "tablespace", "pg_tablespace", "spcname"),
        (
            &["SUBSCRIPTION"],
            "subscription",
            "pg_subscription",
            "subname",
        ),
    ];
    for (keywords, kind, catalogue, column) in shared {
        if words.take(keywords) {
            skip_condition(&mut words);
            let name = literal::text(&words.bare_name()?);
            return Some(format!(
                "SELECT pg_catalog.format('the {kind} %I is %s', {name}, CASE WHEN EXISTS ( \
                     SELECT 1 FROM pg_catalog.{catalogue} WHERE {column} = {name}) \
                 THEN 'there' ELSE 'not there' END)"
            ));
        }
    }
    let relations = [
        (&["TABLE"][..], "table"),
        (&["VIEW"], "view"),
        (&["MATERIALIZED", "VIEW"], "materialized view"),
        (&["SEQUENCE"], "sequence"),
        (&["INDEX"], "index"),
    ];
    let (_, kind) = relations
        .into_iter()
        .find(|(keywords, _)| words.take(keywords))?;
    words.take(&["CONCURRENTLY"]);
    skip_condition(&mut words);
    let name = literal::text(&words.name()?);
    Some(format!(
        "SELECT pg_catalog.format('the {kind} %s is %s', {name}, \
             CASE WHEN pg_catalog.to_regclass({name}) IS NULL THEN 'not there' ELSE 'there' END)"
    ))
}

fn skip_condition(words: &mut Words) {
    if !words.take(&["IF", "NOT", "EXISTS"]) {
        words.take(&["IF", "EXISTS"]);
    }
}

//! What is in the database of the objects that a statement names, for a person who must say whether
//! the statement took effect.

use sqlx::MySqlConnection;

use super::talk::ALL;
use super::words::{Name, Words};
use super::{literal, talk};
use crate::engine::{EngineError, Fault};

/// The most characters of a table's definition that are shown.
const DEFINITION_SHOWN: usize = 4000;

/// How many rows are counted.
const ROWS_COUNTED: i64 = 1000;

/// How many characters of a statement tell it from others.
const TELLING: usize = 500;

/// What is asked about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// Whether a table or view of this name is there.
    Table,
    /// How a table is defined now.
    Definition,
    /// Whether a table has rows.
    Rows,
    /// Whether an object is there that this part of the catalogue lists: part, schema, name, kind.
    Listed(&'static str, &'static str, &'static str, &'static str),
    /// Whether a schema is there.
    Schema,
}

/// Returns sentences about the objects that a statement names, and about who still executes it.
pub(super) async fn examine(
    connection: &mut MySqlConnection,
    database: &str,
    sql: &str,
) -> Result<Vec<String>, EngineError> {
    let mut sentences = Vec::new();
    for (question, name) in questions(sql) {
        match answer(connection, database, question, &name).await {
            Ok(sentence) => sentences.push(sentence),
            // a right that is missing, or an object that cannot be read
            Err(error) if matches!(error.fault, Fault::Statement | Fault::Denied) => {
                sentences.push(format!("`{}` could not be examined: {error}", name.name));
            }
            Err(error) => return Err(error),
        }
    }
    if let Some((index, table)) = index_of(sql) {
        sentences.push(answer_index(connection, database, &index, &table).await?);
    }
    sentences.extend(executing(connection, database, sql).await?);
    Ok(sentences)
}

/// Returns what to ask about which objects.
fn questions(sql: &str) -> Vec<(Question, Name)> {
    let mut words = Words::of(sql);
    let read = |words: &mut Words, question| {
        words.skip_condition();
        let mut found = Vec::new();
        while let Some(name) = words.name() {
            found.push((question, name));
            // the names after another are in a list, or what a table is renamed to
            if words.take(&[",", "TO"]).is_none() {
                break;
            }
        }
        found
    };
    match words.take(&["CREATE", "DROP", "ALTER", "RENAME", "TRUNCATE"]) {
        Some("TRUNCATE") => {
            words.take(&["TABLE"]);
            read(&mut words, Question::Rows)
        }
        Some("RENAME") => match words.take(&["TABLE", "TABLES"]) {
            Some(_) => read(&mut words, Question::Table),
            None => Vec::new(),
        },
        Some("ALTER") => {
            words.take(&["ONLINE"]);
            words.take(&["IGNORE"]);
            match words.take(&["TABLE"]) {
                Some(_) => read(&mut words, Question::Definition),
                None => object(&mut words).map_or_else(Vec::new, |kind| read(&mut words, kind)),
            }
        }
        Some("CREATE") => {
            let kind = object(&mut words);
            words.skip_condition();
            // what follows the name is no list of names
            kind.zip(words.name()).into_iter().collect()
        }
        Some(_) => object(&mut words).map_or_else(Vec::new, |kind| read(&mut words, kind)),
        None => Vec::new(),
    }
}

/// Steps over the words up to the kind of an object; returns what to ask about it.
fn object(words: &mut Words) -> Option<Question> {
    let kinds = [
        "TABLE",
        "VIEW",
        "SEQUENCE",
        "TRIGGER",
        "PROCEDURE",
        "FUNCTION",
        "EVENT",
        "DATABASE",
        "SCHEMA",
        "INDEX",
    ];
    match words.skip_to(&kinds)? {
        "TABLE" | "VIEW" | "SEQUENCE" => Some(Question::Table),
        "TRIGGER" => Some(Question::Listed(
            "TRIGGERS",
            "TRIGGER_SCHEMA",
            "TRIGGER_NAME",
            "trigger",
        )),
        "PROCEDURE" | "FUNCTION" => Some(Question::Listed(
            "ROUTINES",
            "ROUTINE_SCHEMA",
            "ROUTINE_NAME",
            "routine",
        )),
        "EVENT" => Some(Question::Listed(
            "EVENTS",
            "EVENT_SCHEMA",
            "EVENT_NAME",
            "event",
        )),
        "DATABASE" | "SCHEMA" => Some(Question::Schema),
        _ => None,
    }
}

/// Returns the index that is made or dropped by its own statement, and its table.
fn index_of(sql: &str) -> Option<(String, Name)> {
    let mut words = Words::of(sql);
    words.take(&["CREATE", "DROP"])?;
    words.take(&["OR"]).and_then(|_| words.take(&["REPLACE"]));
    words.take(&["ONLINE", "OFFLINE"]);
    words.take(&["UNIQUE", "FULLTEXT", "SPATIAL"]);
    words.take(&["INDEX"])?;
    words.skip_condition();
    let index = words.name()?.name;
    words.skip_to(&["ON"])?;
    Some((index, words.name()?))
}

async fn answer(
    connection: &mut MySqlConnection,
    database: &str,
    question: Question,
    name: &Name,
) -> Result<String, EngineError> {
    let schema = name.schema.as_deref().unwrap_or(database);
    let shown = match &name.schema {
        Some(schema) => format!("`{schema}.{}`", name.name),
        None => format!("`{}`", name.name),
    };
    let (schema_text, name_text) = (literal::text(schema), literal::text(&name.name));
    let (kind, sql) = match question {
        Question::Table | Question::Definition | Question::Rows => (
            "table",
            format!(
                "SELECT CREATE_TIME FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = {schema_text} AND TABLE_NAME = {name_text}"
            ),
        ),
        Question::Listed(part, schema, name, kind) => (
            kind,
            format!(
                "SELECT NULL FROM information_schema.{part} \
                 WHERE {schema} = {schema_text} AND {name} = {name_text}"
            ),
        ),
        Question::Schema => (
            "schema",
            format!("SELECT NULL FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {name_text}"),
        ),
    };
    let Some(found) = talk::row(connection, sql).await? else {
        return Ok(format!("the {kind} {shown} is not there"));
    };
    let made = found.text(0)?;
    let qualified = format!("{}.{}", literal::name(schema), literal::name(&name.name));
    match question {
        Question::Definition => definition(connection, &qualified, &shown).await,
        Question::Rows => rows(connection, &qualified, &shown).await,
        _ if made.is_empty() => Ok(format!("the {kind} {shown} is there")),
        _ => Ok(format!(
            "the {kind} {shown} is there, made at {made} by the server's clock"
        )),
    }
}

async fn definition(
    connection: &mut MySqlConnection,
    qualified: &str,
    shown: &str,
) -> Result<String, EngineError> {
    let row = talk::row(connection, format!("SHOW CREATE TABLE {qualified}")).await?;
    let text = row.map(|row| row.text(1)).transpose()?.unwrap_or_default();
    let mut short: String = text.chars().take(DEFINITION_SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    Ok(format!("the table {shown} is now: {short}"))
}

async fn rows(
    connection: &mut MySqlConnection,
    qualified: &str,
    shown: &str,
) -> Result<String, EngineError> {
    let limit = ROWS_COUNTED + 1;
    let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {qualified} LIMIT {limit}) AS counted");
    let row = talk::row(connection, sql).await?;
    let count = row.map(|row| row.number(0)).transpose()?.flatten();
    Ok(match count.unwrap_or_default() {
        0 => format!("the table {shown} has no rows"),
        1 => format!("the table {shown} has one row"),
        count if count > ROWS_COUNTED => {
            format!("the table {shown} has more than {ROWS_COUNTED} rows")
        }
        count => format!("the table {shown} has {count} rows"),
    })
}

async fn answer_index(
    connection: &mut MySqlConnection,
    database: &str,
    index: &str,
    table: &Name,
) -> Result<String, EngineError> {
    let schema = table.schema.as_deref().unwrap_or(database);
    let sql = format!(
        "SELECT COLUMN_NAME FROM information_schema.STATISTICS \
         WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} AND INDEX_NAME = {} ORDER BY SEQ_IN_INDEX {ALL}",
        literal::text(schema),
        literal::text(&table.name),
        literal::text(index)
    );
    let mut columns = Vec::new();
    for row in talk::rows(connection, sql).await? {
        columns.push(format!("`{}`", row.text(0)?));
    }
    let table = &table.name;
    Ok(if columns.is_empty() {
        format!("the index `{index}` of `{table}` is not there")
    } else {
        let columns = columns.join(", ");
        format!("the index `{index}` of `{table}` is there, on {columns}")
    })
}

/// Says which other sessions are executing the statement.
async fn executing(
    connection: &mut MySqlConnection,
    database: &str,
    sql: &str,
) -> Result<Vec<String>, EngineError> {
    let beginning: String = sql.chars().take(TELLING).collect();
    let ask = format!(
        "SELECT ID, TIME FROM information_schema.PROCESSLIST \
         WHERE ID <> CONNECTION_ID() AND COALESCE(DB, {schema}) = {schema} \
         AND LEFT(INFO, {TELLING}) = {} {ALL}",
        literal::text(&beginning),
        schema = literal::text(database),
    );
    let mut sentences = Vec::new();
    for row in talk::rows(connection, ask).await? {
        sentences.push(format!(
            "the session {} has been executing this statement for {} s and has not ended it",
            row.text(0)?,
            row.text(1)?
        ));
    }
    Ok(sentences)
}

//! A report as one spreadsheet file (Office Open XML, ECMA-376), a sheet a table.

use std::borrow::Cow;

use ledger::Timestamp;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

use super::document::{Block, document};
use super::model::Report;
use super::table::{Cell, Table};
use super::{sections, tables};
use crate::error::Error;

/// The most bytes of a cell; the format allows 32,767 characters.
const LONGEST: usize = 32_767;

/// Returns the bytes of the file. Its date is the newest event's, so the same report gives the same bytes.
///
/// # Errors
///
/// [`Error::Usage`] where a table has more rows than a sheet may.
pub fn print(report: &Report) -> Result<Vec<u8>, Error> {
    write(report).map_err(|error| Error::Usage {
        code: "report-too-large",
        message: format!("the report does not fit into a spreadsheet: {error}"),
        hint: "choose a shorter period with `--since` and `--until` or `--from` and `--to`, or `--output csv`".to_owned(),
    })
}

fn write(report: &Report) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let mut properties = DocProperties::new().set_title(sections::TITLE);
    if let Some(newest) = report.subject.newest_event_at {
        properties = properties.set_creation_datetime(&date(newest)?);
    } else {
        properties = properties.set_creation_datetime(&ExcelDateTime::from_timestamp(0)?);
    }
    workbook.set_properties(&properties);
    facts(workbook.add_worksheet(), report)?;
    let mut sheets = vec![
        tables::exceptions(&report.exceptions),
        tables::changes(&report.changes),
        tables::duties(&report.duties),
        tables::keys(&report.keys),
        tables::backups(&report.backups),
    ];
    if !report.period.is_whole() {
        sheets.push(tables::period(&report.period));
    }
    sheets.extend(report.sample.as_ref().map(tables::sample));
    for table in &sheets {
        sheet(workbook.add_worksheet(), table)?;
    }
    workbook.save_to_buffer()
}

fn date(time: Timestamp) -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::from_timestamp(time.as_micros() / 1_000_000)
}

/// The first sheet: all facts of the sections, with the words of each section.
fn facts(sheet: &mut Worksheet, report: &Report) -> Result<(), XlsxError> {
    let (strong, wrapped) = (Format::new().set_bold(), wrapped());
    sheet.set_name("summary")?;
    sheet.set_column_width(0, 32)?;
    sheet.set_column_width(1, 100)?;
    let mut line = 0;
    for section in document(report).sections {
        sheet.write_string_with_format(line, 0, section.title, &strong)?;
        sheet.write_string_with_format(line, 1, text(&section.intro), &wrapped)?;
        line += 1;
        for control in &section.controls {
            sheet.write_string(line, 0, control.reference)?;
            let says = format!(
                "{}. Shown here: {}. Not shown: {}.",
                control.asks, control.shows, control.does_not_show
            );
            sheet.write_string_with_format(line, 1, text(&says), &wrapped)?;
            line += 1;
        }
        for block in &section.blocks {
            match block {
                // what is told of each change stands in a row of its own sheet
                Block::Facts(facts) if facts.event.is_none() => {
                    for (label, value) in &facts.facts {
                        sheet.write_string(line, 0, *label)?;
                        cell(sheet, line, 1, value)?;
                        line += 1;
                    }
                }
                Block::Sentences(sentences) => {
                    for sentence in sentences {
                        sheet.write_string_with_format(line, 1, text(sentence), &wrapped)?;
                        line += 1;
                    }
                }
                Block::Facts(_) | Block::Table(_) => {}
            }
        }
        line += 1;
    }
    Ok(())
}

fn sheet(sheet: &mut Worksheet, table: &Table) -> Result<(), XlsxError> {
    let strong = Format::new().set_bold();
    sheet.set_name(table.name)?;
    sheet.set_freeze_panes(1, 0)?;
    for (at, column) in (0..).zip(&table.columns) {
        sheet.set_column_width(at, column.width)?;
        sheet.write_string_with_format(0, at, column.label, &strong)?;
    }
    for (line, row) in (1..).zip(&table.rows) {
        for (at, value) in (0..).zip(&row.cells) {
            cell(sheet, line, at, value)?;
        }
    }
    let last_row = u32::try_from(table.rows.len()).unwrap_or(u32::MAX);
    let last_column = u16::try_from(table.columns.len().saturating_sub(1)).unwrap_or(0);
    sheet.autofilter(0, 0, last_row, last_column)?;
    Ok(())
}

/// Writes a text as a text: nothing in it is a formula, a number or a link.
fn cell(sheet: &mut Worksheet, line: u32, at: u16, value: &Cell) -> Result<(), XlsxError> {
    match value {
        Cell::Nothing => {}
        Cell::Number(number) | Cell::Event(number) => match u32::try_from(*number) {
            Ok(number) => {
                sheet.write_number(line, at, number)?;
            }
            // a spreadsheet rounds large numbers, and texts it keeps
            Err(_) => {
                sheet.write_string(line, at, number.to_string())?;
            }
        },
        _ => {
            sheet.write_string(line, at, text(&value.plain()))?;
        }
    }
    Ok(())
}

fn wrapped() -> Format {
    Format::new().set_text_wrap().set_align(FormatAlign::Top)
}

/// Returns a text that fits in a cell.
fn text(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(ledger::fit(text, LONGEST))
    }
}

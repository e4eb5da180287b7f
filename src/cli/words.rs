//! Numbers and times as people read them.

use ledger::{Digest, Timestamp};
use mledger::text::steers;
use unicode_width::UnicodeWidthStr;

/// Returns a duration in the two largest units that matter.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// Returns a size in the unit in which it reads well.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    let (mut tenths, mut unit) = (u128::from(size) * 10 / 1024, 0);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or("KiB");
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// Returns a time to the second, in UTC.
pub(crate) fn time(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('T') {
        Some((date, of_day)) => {
            let seconds = of_day.split('.').next().unwrap_or(of_day);
            format!("{date} {seconds}Z")
        }
        None => text,
    }
}

/// Returns how long ago a time was.
pub(crate) fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = (now.as_micros() - then.as_micros()) / 1_000_000;
    if seconds < 0 {
        return format!("in {}", distance(seconds.unsigned_abs()));
    }
    if seconds < 5 {
        return "just now".to_owned();
    }
    format!("{} ago", distance(seconds.unsigned_abs()))
}

/// Returns a count with its noun.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Returns a length as the counts of answers have it.
pub(crate) fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Returns the first digits of a digest, enough to tell two apart by eye.
pub(crate) fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(12).collect()
}

/// Returns the ids of a chain that was opened more than once, first to last.
pub(crate) fn lineage(ids: &[Digest]) -> Option<String> {
    let ids: Vec<String> = ids.iter().map(short).collect();
    (ids.len() > 1).then(|| ids.join(" → "))
}

/// Returns `text` on one line, in the order in which it was written: what an actor, a host or an error calls
/// itself may hold anything, also what steers a terminal or turns the direction of text round.
pub(crate) fn line(text: &str) -> String {
    text.chars()
        .map(|c| if steers(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Returns `text` padded with spaces to `width` columns of a terminal.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// Returns `text` cut to `width` columns of a terminal.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if kept.width() + c.to_string().width() + 1 > width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// Returns rows as columns that line up; the last column is not padded.
pub(crate) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (index, cell) in row.iter().enumerate() {
            match widths.get_mut(index) {
                Some(width) => *width = (*width).max(cell.width()),
                None => widths.push(cell.width()),
            }
        }
    }
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| pad(cell, *width))
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}

fn distance(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        86_400..5_184_000 => count(seconds / 86_400, "day", "days"),
        5_184_000..63_072_000 => count(seconds / 2_592_000, "month", "months"),
        _ => count(seconds / 31_536_000, "year", "years"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let words: Vec<String> = [7, 1_250, 65_000, 7_260_000].map(duration).into();
        assert_eq!(words, ["7 ms", "1.2 s", "1 min 5 s", "2 h 1 min"]);
    }

    #[test]
    fn sizes_read_well() {
        let words: Vec<String> = [7, 1536, 5 * 1024 * 1024, 3 << 40].map(bytes).into();
        assert_eq!(words, ["7 B", "1.5 KiB", "5.0 MiB", "3.0 TiB"]);
    }

    #[test]
    fn distances_read_well() {
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let before = |seconds: i64| {
            ago(
                now,
                Timestamp::from_micros(now.as_micros() - seconds * 1_000_000),
            )
        };
        assert_eq!(before(2), "just now");
        assert_eq!(before(90), "1 min ago");
        assert_eq!(before(86_400), "1 day ago");
        assert_eq!(before(86_400 * 200), "6 months ago");
        assert_eq!(before(-7_200), "in 2 h");
    }

    #[test]
    fn columns_line_up_and_wide_letters_count_double() {
        let rows = [vec!["a".into(), "x".into()], vec!["表".into(), "y".into()]];
        assert_eq!(columns(&rows), ["a   x", "表  y"]);
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("表表表", 4), "表…");
    }

    #[test]
    fn control_characters_cannot_steer_the_terminal() {
        assert_eq!(line("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
    }
}

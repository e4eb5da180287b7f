//! Comments and data that have no end, and could take a section with them.

use std::ops::Range;

use super::super::marker::Line;
use super::super::problem::Problem;
use super::super::split::DATA_END;
use super::Reader;

impl Reader<'_> {
    /// SQLite lets the end of the text close a comment, and so could lose a section without a word.
    pub(super) fn block_comment(&mut self, range: Range<usize>) -> Result<(), Problem> {
        let comment = &self.text[range.clone()];
        let closed = comment.len() >= "/**/".len() && comment.ends_with("*/");
        if closed {
            return Ok(());
        }
        let marker = comment
            .lines()
            .find(|line| !matches!(Line::of(line.trim_start()), Line::Remark));
        let hint = "close it with `*/`";
        if let Some(marker) = marker {
            let message = format!(
                "the comment that begins here is never closed, and `{}` stands in it",
                marker.trim()
            );
            return Err(self.problem("unterminated", range.start, message, hint));
        }
        let message = "the comment that begins here is never closed";
        let warning = self.problem("comment-not-closed", range.start, message.to_owned(), hint);
        self.warnings.push(warning);
        Ok(())
    }

    /// Without a line that ends them, data go on to the end of the text, and so could take a section
    /// with them without a word.
    pub(super) fn data(&self, range: Range<usize>) -> Result<(), Problem> {
        let data = &self.text[range.clone()];
        let mut lines = data.lines().filter(|line| line.starts_with("--"));
        let marker = lines.find(|line| !matches!(Line::of(line), Line::Remark));
        let (Some(marker), false) = (marker, data.lines().last() == Some(DATA_END)) else {
            return Ok(());
        };
        let message =
            format!("expected the line `\\.` after the data that begin here, found `{marker}`");
        let hint = "end the data with the line `\\.`";
        Err(self.problem("unterminated", range.start, message, hint))
    }
}

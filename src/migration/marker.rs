//! Markers: comment lines that begin a section, and comment lines that only look as if they did.

/// What begins a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Up,
    Down,
    Verify,
}

/// What a comment line is to the sections of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// A marker.
    Marker(Marker),
    /// Meant as this marker, and written in another way or for another tool.
    Like(Marker),
    /// A mark of another tool that means something else.
    Foreign,
    /// Anything else.
    Remark,
}

impl Marker {
    const ALL: [Self; 3] = [Self::Up, Self::Down, Self::Verify];

    /// Returns the marker as it is written.
    pub(super) fn written(self) -> &'static str {
        match self {
            Self::Up => "-- UP",
            Self::Down => "-- DOWN",
            Self::Verify => "-- VERIFY",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Verify => "verify",
        }
    }
}

/// Marks with which other tools divide a file, up to the word that says which half follows. Taken for
/// remarks, they would let both halves run as one script.
const PREFIXES: [&str; 6] = [
    "+goose", "+migrate", "+micrate", "migrate:", "rambler", "mledger",
];

/// Whole lines with which other tools divide a file.
const LINES: [(&str, Marker); 7] = [
    ("up migration", Marker::Up),
    ("down migration", Marker::Down),
    ("!ups", Marker::Up),
    ("!downs", Marker::Down),
    ("@undo", Marker::Down),
    ("//@undo", Marker::Down),
    ("create above / drop below", Marker::Down),
];

impl Line {
    /// Says what a comment is, given with the characters that begin it.
    pub(super) fn of(comment: &str) -> Self {
        let written = comment.trim_end();
        if let Some(marker) = Marker::ALL.iter().find(|one| one.written() == written) {
            return Self::Marker(*marker);
        }
        let line = written.trim_matches(|one: char| one.is_whitespace() || "-#=*".contains(one));
        let line = line.to_lowercase();
        let word = line.trim_matches(|one: char| !one.is_alphanumeric());
        if let Some(marker) = Marker::ALL.iter().find(|one| one.word() == word) {
            return Self::Like(*marker);
        }
        if let Some((_, marker)) = LINES.iter().find(|(known, _)| *known == line) {
            return Self::Like(*marker);
        }
        for prefix in PREFIXES {
            let Some(rest) = line.strip_prefix(prefix) else {
                continue;
            };
            let first = rest.split_whitespace().next().unwrap_or_default();
            return match first.trim_end_matches([':', ';', '.']) {
                "up" => Self::Like(Marker::Up),
                "down" => Self::Like(Marker::Down),
                "verify" => Self::Like(Marker::Verify),
                // the others are words of prose too
                _ if prefix.starts_with('+') => Self::Foreign,
                _ => Self::Remark,
            };
        }
        Self::Remark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_written_in_one_way() {
        assert_eq!(Line::of("-- UP\r\n"), Line::Marker(Marker::Up));
        assert_eq!(Line::of("-- DOWN  "), Line::Marker(Marker::Down));
        assert_eq!(Line::of("-- VERIFY\n"), Line::Marker(Marker::Verify));
    }

    #[test]
    fn what_is_meant_as_a_marker_is_known() {
        for (marker, comments) in [
            (
                Marker::Up,
                &[
                    "-- up",
                    "-- Up:",
                    "--UP",
                    "--  UP",
                    "-- +goose Up",
                    "-- +migrate Up notransaction",
                    "-- migrate:up transaction:false",
                    "-- Up Migration",
                    "-- rambler up",
                    "--- !Ups",
                    "-- mledger up",
                ][..],
            ),
            (
                Marker::Down,
                &[
                    "-- Down",
                    "--DOWN",
                    "-- DOWN:",
                    "-- DOWN;",
                    "-- ==== down ====",
                    "-- [DOWN]",
                    "--+goose Down",
                    "-- +migrate Down",
                    "-- migrate:down",
                    "-- Down Migration",
                    "-- //@UNDO",
                    "-- @UNDO",
                    "---- create above / drop below ----",
                ],
            ),
            (Marker::Verify, &["-- verify", "--VERIFY", "-- Verify:"]),
        ] {
            for comment in comments {
                assert_eq!(Line::of(comment), Line::Like(marker), "{comment}");
            }
        }
        assert_eq!(Line::of("-- +goose StatementBegin"), Line::Foreign);
        assert_eq!(Line::of("-- +goose NO TRANSACTION"), Line::Foreign);
    }

    #[test]
    fn prose_is_a_remark() {
        for comment in [
            "-- clean up",
            "-- up to here",
            "-- down the road",
            "-- migrate the users",
            "-- migrate: upper case names",
            "-- mledger upholds this",
            "-- rambler roses",
            "-- verify by hand",
            "--",
            "",
        ] {
            assert_eq!(Line::of(comment), Line::Remark, "{comment}");
        }
    }
}

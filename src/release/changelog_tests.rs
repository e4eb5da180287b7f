//! What changelogs say, and that nothing in them can be changed unseen.
#![expect(clippy::unwrap_used, reason = "tests")]

use ledger::canonical::Value;
use ledger::{ApprovalRevoked, Digest, Outcome};
use proptest::prelude::*;

use super::changelog::{Change, Removal};
use super::story_tests::{Story, any_story};
use super::template::{self, Template};
use super::{Asked, Changelog, Chronicle, Output, check, html, markdown, print};
use crate::Error;

fn chronicle(story: &Story) -> Chronicle {
    first(story, story.events.len())
}

/// The chronicle of the first events, with all hashes of the log.
fn first(story: &Story, size: usize) -> Chronicle {
    let mut chronicle = Chronicle::default();
    for (at, event) in story.events.iter().enumerate() {
        let mut event = event.clone();
        if at > 0 {
            event.prev = Digest::of(&(at - 1).to_be_bytes());
        }
        if at < size {
            chronicle.apply(&event).unwrap();
        } else {
            chronicle.keep_hash(&event);
        }
    }
    chronicle.finish(Digest::of(&(story.events.len() - 1).to_be_bytes()));
    chronicle
}

fn asked(from: Option<&str>, to: Option<&str>, output: Output) -> Asked {
    Asked {
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        full: true,
        output,
    }
}

fn changelog(story: &Story, from: Option<&str>, to: Option<&str>) -> Changelog {
    let asked = asked(from, to, Output::Markdown);
    chronicle(story).changelog(&asked).unwrap()
}

/// All entries, the oldest release first.
fn entries(changelog: &Changelog) -> (Vec<Change>, Vec<Removal>) {
    let sections = || changelog.sections.iter().rev();
    (
        sections().flat_map(|one| one.changes().cloned()).collect(),
        sections().flat_map(|one| one.removed.clone()).collect(),
    )
}

/// What `changelog --check` does with a text.
fn check_text(story: &Story, text: &str) -> Result<(), Error> {
    check_printed(story, text, None)
}

fn check_printed(story: &Story, text: &str, by: Option<&Template>) -> Result<(), Error> {
    let (text, seal) = check::read(text.as_bytes())?;
    let size = usize::try_from(seal.last.saturating_add(1)).unwrap_or(usize::MAX);
    check::compare(&text, &seal, &first(story, size), by)
}

#[track_caller]
fn differs(result: Result<(), Error>) -> String {
    let error = result.unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("changelog-mismatch", 4));
    error.to_string()
}

const OUTPUTS: [Output; 3] = [Output::Markdown, Output::Json, Output::Html];

fn text(name: &'static str, value: &str) -> (&'static str, Value) {
    (name, Value::from(value))
}

fn three_releases() -> Story {
    let mut story = Story::default();
    story.applied("1", &[text("description", "the first table")]);
    story.applied(
        "2",
        &[("breaking_change", Value::from(true)), text("risk", "high")],
    );
    story.tag("1.0.0", None).unwrap();
    story
        .failed("4", true)
        .applied("4", &[text("ticket", "OPS-12")]);
    story.tag("1.1.0", None).unwrap();
    story.published("1.0.0", "Spring");
    story.applied("3", &[text("type", "dml")]);
    story.tag("1.1.1", None).unwrap();
    story.rolled_back("3").rolled_back("4").applied("5", &[]);
    story
}

#[test]
fn a_changelog_tells_what_came_went_and_failed() {
    let story = three_releases();
    let whole = changelog(&story, None, None);
    let page = print(&whole).unwrap();
    let headings: Vec<&str> = page.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(
        headings,
        [
            "# Changelog",
            "## [Unreleased]",
            "### Changed",
            "### Removed",
            "### Rollbacks and failed attempts",
            "## [1.1.1] - 2026-11-20",
            "### Data",
            "## [1.1.0] - 2026-11-20",
            "### Changed",
            "### Rollbacks and failed attempts",
            "## [1.0.0] - 2026-11-20",
            "### Breaking changes",
            "### Changed",
            "## Evidence",
        ]
    );
    assert!(page.contains("**Spring**") && page.contains("ticket OPS-12"));
    assert!(
        page.contains("failed 2026-11-20 20:00:00 UTC by dana\\@example.com: no such table: users")
    );
    let brief = Asked {
        full: false,
        ..Asked::default()
    };
    let brief = print(&chronicle(&story).changelog(&brief).unwrap()).unwrap();
    assert!(!brief.contains("failed") && brief.contains("### Removed"));
}

#[test]
fn a_range_without_an_end_after_its_beginning_is_refused() {
    let story = three_releases();
    let chronicle = chronicle(&story);
    let code = |from, to| {
        let asked = asked(from, to, Output::Markdown);
        chronicle
            .changelog(&asked)
            .map_err(|error| error.code())
            .err()
    };
    assert_eq!(code(Some("1.1.0"), Some("1.0.0")), Some("release-order"));
    assert_eq!(code(Some("1.1.0"), Some("1.1.0")), Some("release-order"));
    assert_eq!(code(Some("1"), None), Some("release-ambiguous"));
    assert_eq!(code(None, Some("2.0.0")), Some("release-unknown"));
    assert_eq!(code(Some("1.0"), Some("1.1.1")), None);
}

#[test]
fn what_comes_later_does_not_change_the_changelog_of_a_release() {
    let mut story = three_releases();
    let asked = asked(None, Some("1.1.0"), Output::Markdown);
    let before = print(&chronicle(&story).changelog(&asked).unwrap()).unwrap();
    let body = ApprovalRevoked {
        plan: Digest::ZERO,
        reason: "another matter".to_owned(),
    };
    story.happen(body.into(), Outcome::Success);
    story.applied("6", &[]);
    story.tag("1.2.0", None).unwrap();
    assert_eq!(
        print(&chronicle(&story).changelog(&asked).unwrap()).unwrap(),
        before
    );
    story.published("1.1.0", "Summer");
    assert_ne!(
        print(&chronicle(&story).changelog(&asked).unwrap()).unwrap(),
        before
    );
    check_text(&story, &before).unwrap();
}

#[test]
fn a_changed_changelog_is_told_by_the_line() {
    let story = three_releases();
    for output in OUTPUTS {
        let asked = asked(None, Some("1.1.0"), output);
        let page = print(&chronicle(&story).changelog(&asked).unwrap()).unwrap();
        check_text(&story, &page).unwrap();
        check_text(&story, &page.replace('\n', "\r\n")).unwrap();
        let said = differs(check_text(&story, &page.replace("OPS-12", "OPS-13")));
        assert!(said.contains("line ") && said.contains("OPS-13"), "{said}");
        differs(check_text(&story, &page.replace("full=yes", "full=no")));
        differs(check_text(&story, &page.replace("to=1.1.0", "to=1.1.1")));
        differs(check_text(&story, &page.replace("to=1.1.0", "to=9.9.9")));
        differs(check_text(
            &story,
            &page.replace("mledger-changelog", "changelog"),
        ));
        differs(check_text(&story, &format!("{page}\n")));
        differs(check_text(&story, page.trim_end()));
        let last = story.events.len() + 3;
        let (begin, rest) = page.split_once("events=0..").unwrap();
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let said = differs(check_text(
            &story,
            &format!("{begin}events=0..{last}{rest}"),
        ));
        assert!(said.contains("fewer events"), "{said}");
    }
    let page = print(&changelog(&story, None, None)).unwrap();
    let mut other = three_releases();
    other.events[0].actor = "mallory".to_owned();
    assert!(differs(check_text(&other, &page)).contains("mallory"));
}

#[test]
fn what_a_template_printed_is_proven_with_it() {
    let story = three_releases();
    let asked = asked(None, Some("1.1.0"), Output::Json);
    let changelog = chronicle(&story).changelog(&asked).unwrap();
    for name in ["house.md.j2", "house.html.j2"] {
        let by = Template {
            name: name.to_owned(),
            source: "{% for section in sections %}{% for group in section.groups %}\
                     {% for change in group.changes %}{{ change.version }} {{ change.tickets|join(',')|default('-', true) }}\r\n\
                     {% endfor %}{% endfor %}{% endfor %}{{ seal }}\n"
                .to_owned(),
        };
        let page = template::render(&changelog, &by).unwrap();
        assert!(page.contains("OPS-12\r\n"), "{page}");
        check_printed(&story, &page, Some(&by)).unwrap();
        check_printed(&story, &page.replace("\r\n", "\n"), Some(&by)).unwrap();
        let changed = page.replace("OPS-12", "OPS-13");
        let said = differs(check_printed(&story, &changed, Some(&by)));
        assert!(said.contains("OPS-13"), "{said}");
        // without the template, or with another one, it is another text
        let said = differs(check_text(&story, &page));
        assert!(said.contains("line 1 "), "{said}");
        let other = Template {
            source: by.source.replace("'-'", "'none'"),
            ..by.clone()
        };
        differs(check_printed(&story, &page, Some(&other)));
        let unsealed = page.rsplit_once("mledger").unwrap().0;
        let said = differs(check_printed(&story, unsealed, Some(&by)));
        assert!(said.contains("`{{ seal }}`"), "{said}");
    }
}

#[test]
fn texts_from_outside_stay_texts() {
    let evil = "# <script>x</script> [a](http://b) `c` **d** |e| @f &amp; ![g](h) www.i.de\n- j\u{202e}\u{1b}[31m";
    let mut story = Story::default();
    story.applied(
        "1",
        &[
            text("description", evil),
            text("author", evil),
            text("ticket", evil),
        ],
    );
    story.tag("1.0.0", None).unwrap();
    story.published("1.0.0", evil);
    for output in OUTPUTS {
        let asked = asked(None, None, output);
        let page = print(&chronicle(&story).changelog(&asked).unwrap()).unwrap();
        check_text(&story, &page).unwrap();
        if output == Output::Json {
            continue;
        }
        assert!(
            !page.contains("<script>") && !page.contains("\n- j"),
            "{page}"
        );
        assert!(
            !page.contains('\u{202e}') && !page.contains('\u{1b}'),
            "{page}"
        );
    }
    assert_eq!(
        markdown::escaped(evil),
        "\\# \\<script\\>x\\</script\\> \\[a\\](http\\://b) \\`c\\` \\*\\*d\\*\\* \\|e\\| \\@f \\&amp; \
         \\!\\[g\\](h) www\\.i.de - j\u{fffd}\u{fffd}\\[31m"
    );
    assert_eq!(
        html::escaped("<a href='x'>\"&\n"),
        "&lt;a href=&#39;x&#39;&gt;&quot;&amp;"
    );
}

proptest! {
    #[test]
    fn two_ranges_contain_what_the_whole_contains(story in any_story()) {
        let mut names = vec![None];
        names.extend(story.releases.all().iter().map(|one| Some(one.release.to_string())));
        let of = |from: &Option<String>, to: &Option<String>| {
            entries(&changelog(&story, from.as_deref(), to.as_deref()))
        };
        for (a, from) in names.iter().enumerate() {
            for (b, middle) in names.iter().enumerate().skip(a + 1) {
                for to in names.iter().skip(b + 1) {
                    let (mut changes, mut removed) = of(from, middle);
                    let (more, gone) = of(middle, to);
                    changes.extend(more);
                    removed.extend(gone);
                    prop_assert_eq!((changes, removed), of(from, to));
                }
            }
        }
    }

    #[test]
    fn a_changelog_accounts_for_all_that_a_release_holds(story in any_story()) {
        let Some(last) = story.releases.all().last() else {
            return Ok(());
        };
        let name = last.release.to_string();
        let (changes, _) = entries(&changelog(&story, None, Some(&name)));
        for held in story.releases.contents(last) {
            prop_assert!(changes.iter().any(|change| change.version == held.version.as_str()));
        }
    }

    #[test]
    fn each_byte_of_a_changelog_counts(story in any_story(), at in any::<prop::sample::Index>(), form in 0..3_usize) {
        prop_assume!(!story.events.is_empty());
        let asked = asked(None, None, OUTPUTS[form]);
        let page = print(&chronicle(&story).changelog(&asked).unwrap()).unwrap();
        prop_assert!(check_text(&story, &page).is_ok());
        let mut bytes = page.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        differs(check_text(&story, &String::from_utf8_lossy(&bytes)));
    }
}

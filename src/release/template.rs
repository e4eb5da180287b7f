//! A changelog in a house style: a Jinja template over the same members as the JSON form.
//!
//! A template knows the changelog and nothing else: no file, no clock, no variable. So the same log and
//! the same template give the same bytes.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};

use super::Changelog;
use crate::error::Error;

/// A Jinja template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its name, for errors; `.html` at its end, also before `.j2` or `.jinja`, asks for texts to be
    /// escaped for a page.
    pub name: String,
    /// Its text.
    pub source: String,
}

/// Renders a changelog with a template.
///
/// # Errors
///
/// [`Error::Usage`] with file and line when the template cannot be read, or names what is not there.
pub fn render(changelog: &Changelog, template: &Template) -> Result<String, Error> {
    let Template { name, source } = template;
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let rendered = SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .build()
        .and_then(|syntax| {
            environment.set_syntax(syntax);
            environment.add_template(name, source)?;
            environment
                .get_template(name)?
                .render(Value::from(Serde(changelog)))
        });
    rendered.map_err(|error| {
        let line = error
            .line()
            .map_or_else(String::new, |line| format!(":{line}"));
        let detail = error
            .detail()
            .map_or_else(String::new, |detail| format!(": {detail}"));
        Error::Usage {
            code: "template-invalid",
            message: format!("{name}{line}: {}{detail}", error.kind()),
            hint: "`mledger changelog --json` shows every member that a template can name"
                .to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use ledger::Digest;

    use super::*;
    use crate::release::story_tests::Story;
    use crate::release::{Asked, Chronicle, Seal};

    fn changelog() -> Changelog {
        let mut story = Story::default();
        let description = ("description", ledger::canonical::Value::from("<b>bold</b>"));
        story.applied("1", &[description]);
        story.tag("1.0.0", None).unwrap();
        story.applied("2", &[]);
        let mut chronicle = Chronicle::default();
        for event in &story.events {
            chronicle.apply(event).unwrap();
        }
        chronicle.finish(Digest::ZERO);
        chronicle.changelog(&Asked::default()).unwrap()
    }

    fn render(changelog: &Changelog, source: &str, name: &str) -> Result<String, Error> {
        let template = Template {
            name: name.to_owned(),
            source: source.to_owned(),
        };
        super::render(changelog, &template)
    }

    const TEMPLATE: &str = "\
{% for section in sections %}{% if section.release is defined %}{{ section.release.release }}\
{% else %}soon{% endif %}:{% for group in section.groups %}{% for change in group.changes %} \
{{ change.version }} {{ change.description|default('-') }}{% endfor %}{% endfor %}
{% endfor %}";

    #[test]
    fn a_template_names_what_the_json_form_has() {
        let changelog = changelog();
        let text = render(&changelog, TEMPLATE, "house.md.j2").unwrap();
        assert_eq!(text, "soon: 2 -\n1.0.0: 1 <b>bold</b>\n");
        assert_eq!(render(&changelog, TEMPLATE, "house.md.j2").unwrap(), text);
        let page = render(&changelog, TEMPLATE, "house.html").unwrap();
        assert!(page.contains("&lt;b&gt;bold"), "{page}");
        let seal = render(&changelog, "{{ seal }}\n", "seal").unwrap();
        assert_eq!(seal, format!("{}\n", changelog.seal));
        let seal = render(&changelog, "{{ seal }}\n", "seal.html").unwrap();
        assert_eq!(Seal::find(&seal), Some(changelog.seal), "{seal}");
    }

    #[test]
    fn a_mistake_is_told_with_file_and_line() {
        for (source, line) in [
            ("a\n{{ sections\n", 2),
            ("a\n{{ nothing }}\n", 2),
            ("a\n\n{{ sections[0].release.release }}\n", 3),
            ("{% include 'other' %}\n", 1),
            ("{{ now() }}", 1),
        ] {
            let error = render(&changelog(), source, "house.j2").unwrap_err();
            assert_eq!((error.code(), error.exit_code()), ("template-invalid", 2));
            let start = format!("house.j2:{line}: ");
            assert!(error.to_string().starts_with(&start), "{error}");
        }
    }
}

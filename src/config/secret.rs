//! Keeping passwords out of what is shown.

/// Texts that are kept out of everything that is shown or recorded.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secrets(***)")
    }
}

impl Secrets {
    /// Takes texts that are secret; empty ones say nothing.
    pub fn new(texts: impl IntoIterator<Item = String>) -> Self {
        Self(texts.into_iter().filter(|text| !text.is_empty()).collect())
    }

    /// Takes a database URL and the password in it.
    pub fn of_url(url: &str) -> Self {
        if mask(url) == url {
            return Self::default();
        }
        let password = url
            .rsplit_once('@')
            .and_then(|(before, _)| before.split_once("://"))
            .and_then(|(_, credentials)| credentials.split_once(':'))
            .map(|(_, password)| password.to_owned());
        let options = url.split_once('?').map_or("", |(_, options)| options);
        let values = options.split('&').filter_map(|option| {
            let (name, value) = option.split_once('=')?;
            is_secret(name).then(|| value.to_owned())
        });
        Self::new([url.to_owned()].into_iter().chain(password).chain(values))
    }

    /// Adds those of another place.
    pub fn add(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Adds texts that are secret.
    pub fn extend(&mut self, texts: impl IntoIterator<Item = String>) {
        self.0.extend(Self::new(texts).0);
    }

    /// Returns `text` without the secrets, and without those in URLs that it quotes.
    pub fn hide(&self, text: &str) -> String {
        let hidden = self
            .0
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"));
        let urls: Vec<String> = hidden
            .split_whitespace()
            .filter(|word| word.contains("://"))
            .map(|word| {
                word.trim_matches(['"', '\'', '`', ',', ';', '(', ')'])
                    .to_owned()
            })
            .collect();
        mask_in(&hidden, urls.iter().map(String::as_str))
    }
}

/// Returns a database URL with its password, and secrets among its options, replaced by `***`.
///
/// The password ends at the *last* `@`, since people forget to encode one inside of it: rather too
/// much is hidden than too little.
pub fn mask(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once(':') else {
        return url.to_owned();
    };
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte);
    if !scheme.bytes().all(named) {
        // no scheme stands before the colon, so what does may be a password's beginning
        return "***".to_owned();
    }
    if scheme.eq_ignore_ascii_case("sqlite") && !rest.contains('@') {
        // a path; what stands after a `?` may be anything, also a `#` and an `&` of a secret
        return match url.split_once('?') {
            Some((path, options)) if options.split(['&', '=']).any(is_secret) => {
                format!("{path}?***")
            }
            _ => url.to_owned(),
        };
    }
    let slashes = if rest.starts_with("//") { "//" } else { "" };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (user, place) = match rest.rsplit_once('@') {
        Some((credentials, place)) => match credentials.split_once(':') {
            Some((user, _)) => (format!("{user}:***@"), place),
            None => (format!("{credentials}@"), place),
        },
        None => (String::new(), rest),
    };
    format!("{scheme}:{slashes}{user}{}", mask_options(place))
}

/// Returns `text` with every URL of `urls` that it quotes masked.
///
/// For messages that others make, such as the argument parser's.
pub fn mask_in<'a>(text: &str, urls: impl IntoIterator<Item = &'a str>) -> String {
    urls.into_iter().fold(text.to_owned(), |text, url| {
        let masked = mask(url);
        if url.is_empty() || masked == url {
            text
        } else {
            text.replace(url, &masked)
        }
    })
}

fn mask_options(place: &str) -> String {
    let Some((place, options)) = place.split_once('?') else {
        return place.to_owned();
    };
    let options: Vec<String> = options
        .split('&')
        .map(|option| match option.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}=***"),
            _ => option.to_owned(),
        })
        .collect();
    format!("{place}?{}", options.join("&"))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token", "key"]
        .iter()
        .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_however_they_are_written() {
        for url in [
            "postgres://dana:S3cr3t-©-%40/#?@db.example:5432/shop",
            "postgres://dana:S3cr3t@S3cr3t@db.example/shop?sslmode=require",
            "mysql://:S3cr3t@db.example/shop",
            "postgres:dana:S3cr3t@db.example",
            "postgres://db.example/shop?user=dana&password=S3cr3t",
            "postgres://S3cr3t:S3cr3t:kk@db.example/shop",
        ] {
            let masked = mask(url);
            assert!(
                masked.contains("***") && masked.contains("db.example"),
                "{masked}"
            );
            assert!(
                !masked
                    .trim_start_matches("postgres://S3cr3t:")
                    .contains("S3cr3t"),
                "{masked}"
            );
        }
    }

    #[test]
    fn secrets_are_hidden_wherever_they_are_quoted() {
        let secrets = Secrets::of_url("postgres://dana:S3cr3t@db.example/shop?sslkey=K3y");
        let text = secrets.hide(
            "cannot log in with S3cr3t or K3y at `mysql://lee:0ther@x/y`, see https://docs.example/a",
        );
        assert_eq!(
            text,
            "cannot log in with *** or *** at `mysql://lee:***@x/y`, see https://docs.example/a"
        );
        assert_eq!(format!("{secrets:?}"), "Secrets(***)");
        assert_eq!(Secrets::of_url("sqlite:a.db").hide("a.db"), "a.db");
    }

    #[test]
    fn what_is_no_url_is_hidden_whole() {
        for url in [
            "S3cr3t-%40:/#?&=;'@db/x",
            "sqlite:shop.db?key=S3cr3t-%40:/#?&=;'",
        ] {
            assert!(!mask(url).contains("S3cr3t"), "{url}");
        }
    }

    #[test]
    fn what_holds_no_secret_stays() {
        for url in [
            "sqlite:mledger.db",
            "sqlite:///a@b:c.db",
            "postgres://dana@db.example/shop",
            "x",
        ] {
            assert_eq!(mask(url), url);
        }
        let text = "unexpected argument 'mysql://a:b@c/d' found";
        assert_eq!(
            mask_in(text, ["up", "mysql://a:b@c/d"]),
            "unexpected argument 'mysql://a:***@c/d' found"
        );
    }
}

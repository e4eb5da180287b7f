#![expect(clippy::unwrap_used, reason = "tests")]
use super::*;

fn input(file: &str) -> Input {
    Input {
        working: "/srv".into(),
        project: "/project".into(),
        file: Some(("/project/mledger.toml".into(), file.to_owned())),
        ..Input::default()
    }
}

fn set(variables: &mut Variables, name: &str, value: &str) {
    variables.insert(name.to_owned(), value.to_owned());
}

#[test]
fn each_layer_gives_way_to_the_one_before() {
    let mut input =
        input("database_url = 'top'\n[environments.staging]\ndatabase_url = 'section'\n");
    let database = |input: &Input| {
        let config = resolve(input.clone()).unwrap();
        (
            config.database.value.clone(),
            config.database.origin.to_string(),
        )
    };
    assert_eq!(
        database(&input),
        ("top".into(), "mledger.toml database_url".into())
    );
    set(&mut input.dotenv, "MLEDGER_ENV", "staging");
    assert_eq!(
        database(&input),
        (
            "section".into(),
            "mledger.toml [environments.staging] database_url".into()
        )
    );
    set(&mut input.dotenv, "DATABASE_URL", "dotenv");
    assert_eq!(
        database(&input),
        ("dotenv".into(), ".env DATABASE_URL".into())
    );
    set(&mut input.variables, "DATABASE_URL", "");
    assert_eq!(database(&input).0, "dotenv");
    set(&mut input.variables, "DATABASE_URL", "variable");
    assert_eq!(
        database(&input),
        ("variable".into(), "variable DATABASE_URL".into())
    );
    input.flags.database = Some("flag".into());
    assert_eq!(database(&input), ("flag".into(), "flag --database".into()));
}

#[test]
fn typed_paths_start_at_the_working_folder_and_others_at_the_project() {
    let mut input = input("migrations = 'sql'\n");
    assert_eq!(
        resolve(input.clone()).unwrap().migrations.value,
        Path::new("/project/sql")
    );
    input.flags.migrations = Some("sql".into());
    assert_eq!(
        resolve(input.clone()).unwrap().migrations.value,
        Path::new("/srv/sql")
    );
    assert_eq!(
        resolve(input.clone()).unwrap().database_base,
        Path::new("/project")
    );
    input.flags.database = Some("sqlite:x.db".into());
    assert_eq!(resolve(input).unwrap().database_base, Path::new("/srv"));
}

#[test]
fn production_is_protected_unless_it_says_otherwise() {
    let protected = |file: &str, name: &str| {
        let mut input = input(file);
        input.flags.environment = Some(name.to_owned());
        let config = resolve(input).unwrap();
        let shown = config.list();
        let shown = shown.iter().find(|setting| setting.name == "protected");
        let protected = config.rules(name).protected;
        assert_eq!(shown.unwrap().value, protected.to_string());
        protected
    };
    assert!(protected("", "production"));
    assert!(!protected("", "staging"));
    assert!(!protected(
        "[environments.production]\nprotected = false\n",
        "production"
    ));
    assert!(protected(
        "[environments.staging]\nprotected = true\n",
        "staging"
    ));
    let unnamed = resolve(input("[environments.live]\nprotected = true\n")).unwrap();
    assert!(!unnamed.rules("development").protected && unnamed.rules("live").protected);
}

#[test]
fn a_misspelt_environment_never_falls_back() {
    let mut input = input("database_url = 'top'\n[environments.staging]\n");
    input.flags.environment = Some("stagin".to_owned());
    assert_eq!(resolve(input).unwrap_err().code, "environment-unknown");
}

#[test]
fn one_key_is_chosen_and_its_text_is_never_shown() {
    let mut input = input("key_file = 'keys/ci'\n");
    let key = |input: &Input| resolve(input.clone()).unwrap().key.value;
    assert_eq!(key(&input), KeyChoice::File("/project/keys/ci".into()));
    set(&mut input.dotenv, "MLEDGER_KEY", "S3cr3t");
    assert_eq!(key(&input), KeyChoice::Text("S3cr3t".into()));
    let config = resolve(input.clone()).unwrap();
    assert!(!format!("{config:?} {:?}", config.key.value).contains("S3cr3t"));
    set(&mut input.variables, "MLEDGER_KEY_FILE", "other");
    assert_eq!(key(&input), KeyChoice::File("/project/other".into()));
    set(&mut input.variables, "MLEDGER_KEY", "S3cr3t");
    assert_eq!(resolve(input).unwrap_err().code, "key-ambiguous");
}

#[test]
fn a_pinned_ledger_must_be_an_id() {
    let error = resolve(input("ledger = 'abc'\n")).unwrap_err();
    assert!(error.message.contains("`abc`"), "{error}");
}

#[test]
fn a_lease_lasts_a_second_or_more() {
    let lease = |file: &str| resolve(input(file)).map(|config| config.lease.value);
    assert_eq!(lease(""), Ok(Duration::from_secs(60)));
    assert_eq!(lease("lease = '1s'\n"), Ok(Duration::from_secs(1)));
    let error = lease("lease = '999ms'\n").unwrap_err();
    assert!(error.message.contains("mledger.toml lease"), "{error}");
}

#[test]
fn a_signer_is_cut_into_words_without_a_shell() {
    let cut_up = |text: &str| words(text).map(|words| words.join("|"));
    for (line, cut) in [
        (
            "./sign --key 'release key' \"a b\"c ''",
            Some("./sign|--key|release key|a bc|"),
        ),
        ("  sign  ", Some("sign")),
        ("sign $HOME \\x", Some("sign|$HOME|\\x")),
        ("", Some("")),
        ("sign 'open", None),
    ] {
        assert_eq!(cut_up(line).as_deref(), cut, "{line}");
    }
}

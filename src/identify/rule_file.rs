// SPDX-License-Identifier: GPL-2.0-only
//! The TOML file that rules are written in.
//!
//! The document is walked by hand rather than deserialised, since every error
//! is to name its line and key.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::facts::COMM_BYTES;
use super::labels::{LabelKey, LabelKeys, MAX_LABEL_KEYS};
use super::pattern::Pattern;
use super::rule_error::RuleError;
use super::rules::{Fallback, Matcher, Outcome, Rule, Rules};
use super::syntax::SyntaxError;
use super::template::Template;

/// The most rules a file may have.
pub const MAX_RULES: usize = 1024;

const MATCHERS: [&str; 4] = ["cgroup", "comm", "cmdline", "environ"];
const ONE_MATCHER: &str = "give the rule one of `cgroup`, `comm`, `cmdline` and `environ`";

type Value<'a> = Spanned<DeValue<'a>>;

/// See [`Rules::parse`].
pub(super) fn parse(text: &str, file: &str) -> Result<Rules, RuleError> {
    let document = Document { text, file };
    let root = DeTable::parse(text).map_err(|error| document.not_toml(&error))?;
    document.rules(root.get_ref())
}

/// The file that errors are about.
struct Document<'a> {
    text: &'a str,
    file: &'a str,
}

/// A place in the file.
struct Place {
    key: String,
    span: Range<usize>,
}

impl Place {
    fn of(key: impl Into<String>, value: &Value<'_>) -> Self {
        Self {
            key: key.into(),
            span: value.span(),
        }
    }
}

impl Document<'_> {
    fn rules(&self, root: &DeTable<'_>) -> Result<Rules, RuleError> {
        let mut rules = Rules::default();
        for (key, value) in root {
            match key.get_ref().as_ref() {
                "default" => rules.fallback = self.fallback(value)?,
                "function" => rules.rules = self.functions(value)?,
                "containers" => {
                    let named = self.boolean(&Place::of("containers", value), value)?;
                    rules.containers.nameless = !named;
                }
                "labels" => rules.containers.labels = self.labels(value)?,
                other => {
                    let place = Place {
                        key: other.to_owned(),
                        span: key.span(),
                    };
                    return Err(self.error(
                        &place,
                        "unknown key",
                        "a file has `default`, `containers`, `labels` and any number of [[function]]",
                    ));
                }
            }
        }
        Ok(rules)
    }

    fn fallback(&self, value: &Value<'_>) -> Result<Fallback, RuleError> {
        let place = Place::of("default", value);
        match self.string(&place, value)? {
            "leaf-cgroup" => Ok(Fallback::LeafCgroup),
            "generic" => Ok(Fallback::Generic),
            other => Err(self.error(
                &place,
                format!("unknown value {other:?}"),
                "write \"leaf-cgroup\" or \"generic\"",
            )),
        }
    }

    fn labels(&self, value: &Value<'_>) -> Result<LabelKeys, RuleError> {
        const ADVICE: &str = "write [\"KEY\", [\"KEY\", \"KEY\"], …]";
        let place = Place::of("labels", value);
        let items = match value.get_ref() {
            DeValue::Array(items) if items.len() <= MAX_LABEL_KEYS => items,
            DeValue::Array(_) => {
                return Err(self.error(
                    &place,
                    format!("more than {MAX_LABEL_KEYS} keys"),
                    "leave out those that no container here has",
                ));
            }
            _ => return Err(self.wrong_type(&place, value, ADVICE)),
        };
        let keys = (1..).zip(items.iter()).map(|(number, item)| {
            let at = Place::of(format!("labels[{number}]"), item);
            let keys = match item.get_ref() {
                DeValue::String(key) => vec![key.to_string()],
                DeValue::Array(keys) => keys
                    .iter()
                    .map(|key| self.string(&at, key).map(str::to_owned))
                    .collect::<Result<_, _>>()?,
                _ => return Err(self.wrong_type(&at, item, ADVICE)),
            };
            LabelKey::new(keys).map_err(|what| self.error(&at, what, ADVICE))
        });
        Ok(LabelKeys::new(keys.collect::<Result<_, _>>()?))
    }

    fn functions(&self, value: &Value<'_>) -> Result<Vec<Rule>, RuleError> {
        let place = Place::of("function", value);
        let DeValue::Array(items) = value.get_ref() else {
            return Err(self.wrong_type(&place, value, "each rule begins with [[function]]"));
        };
        if let Some(first_too_many) = items.get(MAX_RULES) {
            return Err(self.error(
                &Place::of("function", first_too_many),
                format!("{} rules are more than {MAX_RULES}", items.len()),
                "merge some with `*`, `...` and captures",
            ));
        }
        (1..)
            .zip(items.iter())
            .map(|(number, item)| {
                let place = Place::of(format!("function[{number}]"), item);
                match item.get_ref() {
                    DeValue::Table(table) => self.rule(&place, table),
                    _ => Err(self.wrong_type(&place, item, "each rule begins with [[function]]")),
                }
            })
            .collect()
    }

    fn rule(&self, place: &Place, table: &DeTable<'_>) -> Result<Rule, RuleError> {
        let mut matcher = None;
        let mut name = None;
        let mut generic = false;
        for (key, value) in table {
            let key_text = key.get_ref().as_ref();
            let at = Place::of(format!("{}.{key_text}", place.key), value);
            match key_text {
                "name" => name = Some((self.string(&at, value)?, at)),
                "generic" => generic = self.boolean(&at, value)?,
                _ if MATCHERS.contains(&key_text) => {
                    let pattern = self.string(&at, value)?;
                    let this = self.matcher(&at, key_text, pattern)?;
                    if matcher.replace((this, at.span)).is_some() {
                        return Err(self.error(place, "more than one matcher", ONE_MATCHER));
                    }
                }
                _ => {
                    let at = Place {
                        span: key.span(),
                        ..at
                    };
                    return Err(self.error(
                        &at,
                        "unknown key",
                        "a rule has a matcher, and `name` or `generic`",
                    ));
                }
            }
        }
        let Some((matcher, span)) = matcher else {
            return Err(self.error(place, "no matcher", ONE_MATCHER));
        };
        let outcome = match (generic, name) {
            (true, None) => Outcome::Generic,
            (true, Some((_, at))) => {
                return Err(self.error(
                    &at,
                    "what is generic has no name",
                    "remove `name` or `generic`",
                ));
            }
            (false, Some((name, at))) => Outcome::Function(
                Template::parse(name, matcher.pattern().captures())
                    .map_err(|error| self.syntax(&at, error))?,
            ),
            (false, None) => {
                let captures = matcher.pattern().captures().len();
                let nameless = matches!(matcher, Matcher::Cmdline(_) | Matcher::Environ { .. });
                if nameless && captures == 0 {
                    let at = Place {
                        key: place.key.clone(),
                        span,
                    };
                    return Err(self.error(
                        &at,
                        "no name, and the pattern captures none",
                        "add `name = \"…\"`, or `{name}` to the pattern",
                    ));
                }
                Outcome::Function(Template::of_captures(captures))
            }
        };
        Ok(Rule { matcher, outcome })
    }

    fn matcher(&self, at: &Place, key: &str, text: &str) -> Result<Matcher, RuleError> {
        let refused = |error| self.syntax(at, error);
        match key {
            "cgroup" => Pattern::path(text).map(Matcher::Cgroup).map_err(refused),
            "cmdline" => Pattern::command_line(text)
                .map(Matcher::Cmdline)
                .map_err(refused),
            "comm" => {
                let pattern = Pattern::text(text).map_err(refused)?;
                if pattern.min_bytes() > COMM_BYTES {
                    return Err(self.error(
                        at,
                        format!(
                            "matches nothing: it needs {} bytes, and a comm has at most {COMM_BYTES}",
                            pattern.min_bytes()
                        ),
                        format!("end it with `*` after {COMM_BYTES} bytes"),
                    ));
                }
                Ok(Matcher::Comm(pattern))
            }
            _ => self.environ(at, text),
        }
    }

    fn environ(&self, at: &Place, text: &str) -> Result<Matcher, RuleError> {
        let proper = |c: char| !matches!(c, '*' | '{' | '}' | '\\');
        match text.split_once('=') {
            Some((variable, value)) if !variable.is_empty() && variable.chars().all(proper) => {
                let first = variable.chars().count() + 2;
                let value =
                    Pattern::text_at(value, first).map_err(|error| self.syntax(at, error))?;
                Ok(Matcher::Environ {
                    variable: variable.to_owned(),
                    value,
                })
            }
            _ => Err(self.error(
                at,
                "no name of a variable, then `=`",
                "write \"VARIABLE=pattern\"; only the value can be a pattern",
            )),
        }
    }

    fn string<'v>(&self, place: &Place, value: &'v Value<'_>) -> Result<&'v str, RuleError> {
        value
            .get_ref()
            .as_str()
            .ok_or_else(|| self.wrong_type(place, value, "write a string in quotes"))
    }

    fn boolean(&self, place: &Place, value: &Value<'_>) -> Result<bool, RuleError> {
        value
            .get_ref()
            .as_bool()
            .ok_or_else(|| self.wrong_type(place, value, "write true or false, without quotes"))
    }

    fn wrong_type(&self, place: &Place, value: &Value<'_>, advice: &str) -> RuleError {
        let found = value.get_ref().type_str();
        self.error(place, format!("a value of the wrong type, {found}"), advice)
    }

    fn syntax(&self, place: &Place, error: SyntaxError) -> RuleError {
        let what = format!("character {}: {}", error.at, error.what);
        self.error(place, what, error.advice)
    }

    fn not_toml(&self, error: &toml::de::Error) -> RuleError {
        let end = self.text.len();
        let place = Place {
            key: String::new(),
            span: error.span().unwrap_or(end..end),
        };
        self.error(&place, error.message(), "correct the TOML")
    }

    fn error(
        &self,
        place: &Place,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> RuleError {
        let before = self.text.bytes().take(place.span.start);
        RuleError {
            file: self.file.to_owned(),
            line: 1 + before.filter(|&byte| byte == b'\n').count(),
            key: place.key.clone(),
            what: what.into(),
            advice: advice.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::facts::ProcessFacts;
    use super::super::identity::Identity;
    use super::*;

    fn error(text: &str) -> String {
        parse(text, "f.toml").unwrap_err().to_string()
    }

    #[test]
    fn an_empty_file_is_zero_configuration() {
        for text in [
            "",
            "# nothing\n",
            "default = 'leaf-cgroup'",
            "function = []",
        ] {
            let rules = parse(text, "f.toml").unwrap();
            assert!(rules.rules.is_empty());
            assert_eq!(rules.fallback, Fallback::LeafCgroup);
        }
    }

    #[test]
    fn the_file_says_which_labels_name_functions() {
        let keys = |text| parse(text, "f.toml").unwrap().label_keys().cloned();
        assert_eq!(keys(""), Some(LabelKeys::default()));
        assert_eq!(keys("containers = false"), None);
        assert_eq!(keys("labels = []"), Some(LabelKeys::new(vec![])));
        let key = |keys: &[&str]| {
            LabelKey::new(keys.iter().map(|&key| key.to_owned()).collect()).unwrap()
        };
        let expected = LabelKeys::new(vec![key(&["a/b"]), key(&["c", "d"])]);
        assert_eq!(keys("labels = ['a/b', ['c', 'd']]"), Some(expected));
        for (text, beginning) in [
            (
                "labels = 'a'",
                "f.toml:1: labels: a value of the wrong type",
            ),
            (
                "labels = ['a',\n1]",
                "f.toml:2: labels[2]: a value of the wrong type",
            ),
            (
                "labels = ['']",
                "f.toml:1: labels[1]: \"\" is no label's key",
            ),
            ("labels = [[]]", "f.toml:1: labels[1]: no key"),
            (
                "containers = 1",
                "f.toml:1: containers: a value of the wrong type",
            ),
        ] {
            assert!(error(text).starts_with(beginning), "{}", error(text));
        }
        let many = format!("labels = [{}]", "'a',".repeat(MAX_LABEL_KEYS + 1));
        assert!(error(&many).starts_with("f.toml:1: labels: more than"));
    }

    #[test]
    fn errors_name_file_line_and_key() {
        let text = "\n[[function]]\ncgroup = '/a'\n\n[[function]]\nname = 'x'\ncgroup = '/b{'\n";
        assert_eq!(
            error(text),
            "f.toml:7: function[2].cgroup: character 3: no `}` closes this capture; \
             close it before the next `/`, or write `\\{` for a brace"
        );
    }

    #[test]
    fn every_mistake_has_its_place() {
        for (text, beginning) in [
            ("a = = b", "f.toml:1: "),
            ("\n[[function]\n", "f.toml:2: "),
            ("default = 'x", "f.toml:1: "),
            ("default = 'none'", "f.toml:1: default: unknown value"),
            (
                "default = 1",
                "f.toml:1: default: a value of the wrong type",
            ),
            ("\n\nfunctions = 1", "f.toml:3: functions: unknown key"),
            (
                "[function]\ncgroup = '/a'",
                "f.toml:1: function: a value of the wrong type, table",
            ),
            (
                "function = ['/a']",
                "f.toml:1: function[1]: a value of the wrong type",
            ),
            (
                "\n[[function]]\nname = 'a'",
                "f.toml:2: function[1]: no matcher",
            ),
            (
                "[[function]]\ncomm = 'a'\ncgroup = '/a'",
                "f.toml:1: function[1]: more than one",
            ),
            (
                "[[function]]\ncomm = 'a'\ncolour = 1",
                "f.toml:3: function[1].colour: unknown key",
            ),
            (
                "[[function]]\ncgroup = ['/a']",
                "f.toml:2: function[1].cgroup: a value of",
            ),
            (
                "[[function]]\ncgroup = 'a'",
                "f.toml:2: function[1].cgroup: character 1: ",
            ),
            (
                "[[function]]\ncomm = 'a'\ngeneric = 'yes'",
                "f.toml:3: function[1].generic: ",
            ),
            (
                "[[function]]\ncomm = 'a'\ngeneric = true\nname = 'a'",
                "f.toml:4: function[1].name: what is generic",
            ),
            (
                "[[function]]\ncomm = 'a'\nname = '{b}'",
                "f.toml:3: function[1].name: character 1: ",
            ),
            (
                "[[function]]\ncomm = 'a'\nname = ''",
                "f.toml:3: function[1].name: character 1: ",
            ),
            (
                "[[function]]\ncomm = 'a'\nname = \"a\\u0007\"",
                "f.toml:3: function[1].name: character 2: ",
            ),
            (
                "[[function]]\ncomm = 'sixteen-bytes-xx'",
                "f.toml:2: function[1].comm: matches",
            ),
            (
                "[[function]]\ncmdline = '*'",
                "f.toml:2: function[1]: no name",
            ),
            (
                "[[function]]\nenviron = 'A=*'",
                "f.toml:2: function[1]: no name",
            ),
            (
                "[[function]]\nenviron = 'A'",
                "f.toml:2: function[1].environ: no name of",
            ),
            (
                "[[function]]\nenviron = '=a'",
                "f.toml:2: function[1].environ: no name of",
            ),
            (
                "[[function]]\nenviron = 'A*=a'",
                "f.toml:2: function[1].environ: no name of",
            ),
            (
                "[[function]]\nenviron = 'AB={'",
                "f.toml:2: function[1].environ: character 4: ",
            ),
            ("[[function]]\ncomm = 'a'\ncomm = 'b'", "f.toml:3: "),
        ] {
            let error = error(text);
            assert!(error.starts_with(beginning), "{text:?}: {error}");
            assert!(error.contains("; "), "{error}");
        }
    }

    #[test]
    fn the_first_rule_too_many_is_named() {
        let rule = "[[function]]\ncgroup = '/.../{a}-{b}/...'\n";
        let most = rule.repeat(MAX_RULES);
        assert_eq!(parse(&most, "f.toml").unwrap().rules.len(), MAX_RULES);
        let line = 2 * MAX_RULES + 1;
        assert!(error(&(most + rule)).starts_with(&format!("f.toml:{line}: function: ")));
    }

    #[test]
    fn deep_nesting_is_an_error() {
        for (open, count) in [("a.", 100_000), ("[", 100_000), ("{a=", 100_000)] {
            let nested = open.repeat(count);
            assert!(parse(&nested, "f.toml").is_err());
            assert!(parse(&format!("a = {nested}"), "f.toml").is_err());
            assert!(parse(&format!("{nested}a = 1"), "f.toml").is_err());
        }
    }

    #[test]
    fn the_example_does_what_its_comments_say() {
        let example = include_str!("../../examples/functions.toml");
        let rules = parse(example, "functions.toml").unwrap();
        let of = |cgroup, comm: &str, cmdline: &str, environ: &str| {
            let identity = rules.of_process(&ProcessFacts {
                cgroup,
                comm: comm.as_bytes(),
                cmdline: cmdline.as_bytes(),
                environ: environ.as_bytes(),
            });
            match identity {
                Identity::Function { name, .. } => name.to_string(),
                Identity::Generic => "generic".to_owned(),
            }
        };
        for (cgroup, name) in [
            (
                r"/system.slice/system-fn\x2dresize.slice/fn-resize@17.service",
                "resize",
            ),
            (
                "/functions.slice/functions-resize.slice/docker-4f1c.scope",
                "resize",
            ),
            (
                "/functions.slice/functions-resize.slice/functions-resize-big.slice/run-1.scope",
                "resize-big",
            ),
            ("/system.slice/ssh.service", "generic"),
            (
                "/system.slice/system-getty.slice/getty@tty1.service",
                "generic",
            ),
            ("/user.slice/user-0.slice/session-1.scope", "generic"),
            ("/openfaas-fn/resize", "resize"),
            ("/functions/resize-big-2", "resize-big"),
            ("/docker/4f1c", "docker/4f1c"),
            (
                "/system.slice/docker-4f1c.scope",
                "system.slice/docker-4f1c.scope",
            ),
            ("/default-ol-sandboxes/cg-7", "generic"),
        ] {
            assert_eq!(of(cgroup, "", "", ""), name, "{cgroup}");
        }

        let pod = "/kubepods/pod1-2/9";
        assert_eq!(of(pod, "containerd-shim\n", "", "K_SERVICE=a\0"), "generic");
        assert_eq!(of(pod, "", "", "A=b\0K_SERVICE=resize\0"), "knative/resize");
        let cmdline = "python3\0/bin/functions-framework\0--target=resize\0--port=80\0";
        assert_eq!(of(pod, "", cmdline, ""), "resize");
        let sandbox = "/default-ol-sandboxes/cg-7";
        assert_eq!(of(sandbox, "", "", "FUNCTION_NAME=resize\0"), "resize");
        assert_eq!(
            of("/user.slice/x", "", "", "FUNCTION_NAME=resize\0"),
            "generic"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_rules_or_a_line_of_error(
            text in "(\\[\\[function\\]\\]\n|(cgroup|comm|cmdline|environ|name|generic|default)\
                     = ?['\"]?[/a.*{}=\\\\]{0,6}['\"]?\n|true|\\p{any}{0,4}){0,12}",
        ) {
            if let Err(error) = parse(&text, "f.toml") {
                let lines = text.bytes().filter(|&byte| byte == b'\n').count() + 1;
                prop_assert!((1..=lines).contains(&error.line));
                prop_assert!(!error.to_string().contains(char::is_control));
            }
        }

        #[test]
        fn any_pattern_in_a_rule_is_handled(
            key in "cgroup|comm|cmdline|environ",
            pattern in "/?([/a.*=\\\\]|\\{[ab]\\}|\\p{any}){0,12}",
            name in "([a*\\\\]|\\{[ab]\\}|\\p{any}){0,8}",
        ) {
            let text = format!("[[function]]\n{key} = {pattern:?}\nname = {name:?}\n");
            if let Err(error) = parse(&text, "f.toml") {
                prop_assert!((1..=4).contains(&error.line));
                prop_assert!(!error.to_string().contains(char::is_control));
            }
        }
    }
}

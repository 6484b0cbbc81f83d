// SPDX-License-Identifier: GPL-2.0-only
//! Rules that make functions of cgroups and processes.

use std::collections::HashMap;

use super::facts::ProcessFacts;
use super::identity::{CgroupIdentity, Identity, Source};
use super::labels::LabelKeys;
use super::name::FunctionName;
use super::pattern::Pattern;
use super::rule_error::RuleError;
use super::rule_file;
use super::template::Template;

/// The cgroup of systemd itself, which is generic unless a rule matches it.
const INIT_SCOPE: &str = "/init.scope";

/// How processes become functions.
///
/// The rules are tried in the order of the file and the first that matches
/// wins, whether it looks at the cgroup or at the process. A cgroup that none
/// matches is a function of its own, or generic, as the file says.
/// [`Rules::default`] is no rule at all: zero configuration.
///
/// The root cgroup is no function, whatever the rules on cgroups say: it holds
/// the kernel's threads. Only a rule on processes makes functions of its
/// processes.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub(super) rules: Vec<Rule>,
    pub(super) fallback: Fallback,
    pub(super) containers: Containers,
}

/// What is made of containers that no rule matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Containers {
    /// Whether runtimes are not asked for names.
    pub nameless: bool,
    pub labels: LabelKeys,
}

/// What a cgroup becomes that no rule matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fallback {
    /// A function of its own, named by its path without the leading `/`;
    /// `/init.scope` is generic.
    #[default]
    LeafCgroup,
    Generic,
}

/// One rule: what it matches, and what that becomes.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub matcher: Matcher,
    pub outcome: Outcome,
}

#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Cgroup(Pattern),
    Comm(Pattern),
    Cmdline(Pattern),
    Environ { variable: String, value: Pattern },
}

#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Function(Template),
    Generic,
}

impl Matcher {
    pub fn source(&self) -> Source {
        match self {
            Matcher::Cgroup(_) => Source::CgroupRule,
            Matcher::Comm(_) => Source::Comm,
            Matcher::Cmdline(_) => Source::Cmdline,
            Matcher::Environ { .. } => Source::Environ,
        }
    }

    pub fn pattern(&self) -> &Pattern {
        match self {
            Matcher::Cgroup(pattern) | Matcher::Comm(pattern) | Matcher::Cmdline(pattern) => {
                pattern
            }
            Matcher::Environ { value, .. } => value,
        }
    }
}

impl Rule {
    /// What a cgroup is, where this rule matches its path.
    fn of_cgroup(&self, path: &str) -> Option<Identity> {
        let name = path.strip_prefix('/')?;
        self.apply(path.as_bytes(), name.as_bytes())
    }

    /// What this rule makes of a text, where it matches. `subject` stands in
    /// for a name that the rule does not give.
    fn apply(&self, text: &[u8], subject: &[u8]) -> Option<Identity> {
        let captures = self.matcher.pattern().matches(text)?;
        Some(match &self.outcome {
            Outcome::Generic => Identity::Generic,
            Outcome::Function(template) => Identity::Function {
                name: template.name(subject, &captures),
                source: self.matcher.source(),
            },
        })
    }
}

impl Rules {
    /// Rules from the text of a TOML file. `file` is the file's name, for
    /// the error only. No rules in the text are no rules: zero configuration.
    ///
    /// # Errors
    /// One thing that is wrong, with its line and key. Nothing of a
    /// text that is wrong anywhere is used.
    pub fn parse(text: &str, file: &str) -> Result<Self, RuleError> {
        rule_file::parse(text, file)
    }

    /// Whether any rule looks at processes. Otherwise [`Rules::of_cgroup`]
    /// answers for all tasks.
    pub fn wants_process_facts(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.matcher.source() != Source::CgroupRule)
    }

    /// The labels that name functions; `None` where container runtimes are not
    /// to be asked.
    pub fn label_keys(&self) -> Option<&LabelKeys> {
        (!self.containers.nameless).then_some(&self.containers.labels)
    }

    /// Whether any rule looks at this source. Facts that no rule looks at
    /// need not be read.
    pub fn wants(&self, source: Source) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.matcher.source() == source)
    }

    /// What the tasks of a cgroup are, as far as its path says. `path` is
    /// that of the v2 hierarchy as the host sees it, `/` the root.
    pub fn of_cgroup(&self, path: &str) -> CgroupIdentity {
        self.of_cgroup_or(path, || None)
    }

    /// The same, where `platform` may know what no rule matches.
    pub fn of_cgroup_or(
        &self,
        path: &str,
        platform: impl FnOnce() -> Option<Identity>,
    ) -> CgroupIdentity {
        let path = normal(path);
        let mut per_process = false;
        let mut identity = None;
        for rule in &self.rules {
            match rule.matcher {
                Matcher::Cgroup(_) => identity = rule.of_cgroup(path),
                _ => per_process = true,
            }
            if identity.is_some() {
                break;
            }
        }
        let identity = identity
            .or_else(platform)
            .unwrap_or_else(|| self.unmatched(path));
        if per_process {
            CgroupIdentity::PerProcess {
                otherwise: identity,
            }
        } else {
            CgroupIdentity::Whole(identity)
        }
    }

    /// What a process is. Not to be asked about kernel threads: a rule on
    /// comm would take them for processes.
    pub fn of_process(&self, facts: &ProcessFacts<'_>) -> Identity {
        match self.deciding(facts) {
            Some((_, identity)) => identity,
            None => self.unmatched(normal(facts.cgroup)),
        }
    }

    /// What a rule on processes makes of a process; `None` where its cgroup
    /// decides. Not to be asked about kernel threads either.
    pub fn by_process(&self, facts: &ProcessFacts<'_>) -> Option<Identity> {
        let (rule, identity) = self.deciding(facts)?;
        (rule.matcher.source() != Source::CgroupRule).then_some(identity)
    }

    /// The first rule that matches, and what it makes of the process.
    fn deciding(&self, facts: &ProcessFacts<'_>) -> Option<(&Rule, Identity)> {
        let path = normal(facts.cgroup);
        let comm = facts.comm();
        let command_line = facts.command_line();
        let variables = if self.wants(Source::Environ) {
            facts.variables()
        } else {
            HashMap::new()
        };
        self.rules.iter().find_map(|rule| {
            let fact: &[u8] = match &rule.matcher {
                Matcher::Cgroup(_) => return Some((rule, rule.of_cgroup(path)?)),
                Matcher::Comm(_) => comm?,
                Matcher::Cmdline(_) => command_line.as_deref()?,
                Matcher::Environ { variable, .. } => variables.get(variable.as_bytes())?,
            };
            Some((rule, rule.apply(fact, fact)?))
        })
    }

    /// What a cgroup is that no rule matches.
    fn unmatched(&self, path: &str) -> Identity {
        if self.fallback == Fallback::Generic || path.is_empty() || path == INIT_SCOPE {
            return Identity::Generic;
        }
        Identity::Function {
            name: FunctionName::new(path.strip_prefix('/').unwrap_or(path)),
            source: Source::LeafCgroup,
        }
    }
}

/// A path without the `/` at its end; the root's is empty, so that no pattern
/// matches it.
fn normal(path: &str) -> &str {
    path.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(text: &str) -> Rules {
        Rules::parse(text, "test.toml").unwrap()
    }

    fn function(name: &str, source: Source) -> Identity {
        Identity::Function {
            name: FunctionName::new(name),
            source,
        }
    }

    fn whole(name: &str, source: Source) -> CgroupIdentity {
        CgroupIdentity::Whole(function(name, source))
    }

    const GENERIC: CgroupIdentity = CgroupIdentity::Whole(Identity::Generic);

    #[test]
    fn a_process_is_assigned_only_by_a_rule_on_processes() {
        let rules = rules(
            "[[function]]\ncgroup = '/first/...'\nname = 'first'\n\
             [[function]]\ncomm = 'shim'\ngeneric = true\n\
             [[function]]\ncomm = 'thumb*'\nname = 'thumb'\n\
             [[function]]\ncgroup = '/second/...'\nname = 'second'\n",
        );
        let by = |cgroup, comm: &str| {
            let identity = rules.by_process(&ProcessFacts {
                cgroup,
                comm: comm.as_bytes(),
                ..Default::default()
            });
            identity.map(|identity| identity.to_string())
        };
        assert_eq!(by("/first/a", "thumb1"), None);
        assert_eq!(by("/second/a", "python3"), None);
        assert_eq!(by("/other", "python3"), None);
        assert_eq!(by("/second/a", "shim"), Some("generic".to_owned()));
        let thumb = Some("thumb (comm, spoofable)".to_owned());
        assert_eq!(by("/second/a", "thumb1"), thumb);
    }

    #[test]
    fn without_rules_each_leaf_cgroup_is_a_function() {
        let rules = Rules::default();
        assert!(!rules.wants_process_facts());
        assert_eq!(
            rules.of_cgroup("/system.slice/docker-1f.scope"),
            whole("system.slice/docker-1f.scope", Source::LeafCgroup)
        );
        assert_eq!(
            rules.of_cgroup("/a/init.scope"),
            whole("a/init.scope", Source::LeafCgroup)
        );
        for path in ["/", "", "/init.scope", "/init.scope/"] {
            assert_eq!(rules.of_cgroup(path), GENERIC, "{path:?}");
        }
    }

    #[test]
    fn a_generic_fallback_leaves_only_the_rules() {
        let rules = rules("default = 'generic'\n[[function]]\ncgroup = '/f/{name}/...'");
        assert_eq!(rules.of_cgroup("/f/a/b"), whole("a", Source::CgroupRule));
        assert_eq!(rules.of_cgroup("/g/a"), GENERIC);
    }

    #[test]
    fn a_rule_without_captures_names_by_path() {
        let rules = rules("[[function]]\ncgroup = '/f/...'");
        assert_eq!(rules.of_cgroup("/f/a"), whole("f/a", Source::CgroupRule));
    }

    #[test]
    fn the_root_is_no_function_by_any_rule_on_cgroups() {
        let rules = rules("[[function]]\ncgroup = '/...'\nname = 'all'");
        assert_eq!(rules.of_cgroup("/"), GENERIC);
        assert_eq!(
            rules.of_cgroup("/init.scope"),
            whole("all", Source::CgroupRule)
        );
    }

    #[test]
    fn a_rule_goes_before_the_platform_and_the_platform_before_the_rest() {
        let rules = rules(
            "default = 'generic'\n\
             [[function]]\ncgroup = '/a/{name}'\n\
             [[function]]\ncomm = 'x'\n",
        );
        let platform = || Some(function("named", Source::Label));
        let of = |path| rules.of_cgroup_or(path, platform);
        let otherwise = |otherwise| CgroupIdentity::PerProcess { otherwise };
        assert_eq!(of("/a/b"), whole("b", Source::CgroupRule));
        assert_eq!(of("/c"), otherwise(function("named", Source::Label)));
        assert_eq!(rules.of_cgroup("/c"), otherwise(Identity::Generic));
    }

    #[test]
    fn the_first_rule_that_matches_wins() {
        let rules = rules(
            "[[function]]\ncgroup = '/a/ssh'\ngeneric = true\n\
             [[function]]\ncomm = 'python*'\nname = 'python'\n\
             [[function]]\ncgroup = '/a/{name}'\n\
             [[function]]\ncomm = 'node'\n",
        );
        assert!(rules.wants_process_facts());
        assert!(rules.wants(Source::Comm) && !rules.wants(Source::Environ));

        // Decided before any rule on processes.
        assert_eq!(rules.of_cgroup("/a/ssh"), GENERIC);
        assert_eq!(
            rules.of_cgroup("/a/x"),
            CgroupIdentity::PerProcess {
                otherwise: function("x", Source::CgroupRule)
            }
        );
        assert_eq!(
            rules.of_cgroup("/"),
            CgroupIdentity::PerProcess {
                otherwise: Identity::Generic
            }
        );

        let of = |cgroup, comm: &str| {
            rules.of_process(&ProcessFacts {
                cgroup,
                comm: comm.as_bytes(),
                ..Default::default()
            })
        };
        assert_eq!(of("/a/ssh", "python3"), Identity::Generic);
        assert_eq!(of("/a/x", "python3"), function("python", Source::Comm));
        assert_eq!(of("/a/x", "node"), function("x", Source::CgroupRule));
        assert_eq!(of("/b/x", "node"), function("node", Source::Comm));
        assert_eq!(of("/b/x", "bash"), function("b/x", Source::LeafCgroup));
        assert_eq!(of("/", "node"), function("node", Source::Comm));
        assert_eq!(of("/", "bash"), Identity::Generic);
    }

    #[test]
    fn command_lines_and_variables_name_functions() {
        let rules = rules(
            "[[function]]\nenviron = 'FN={name}'\n\
             [[function]]\ncmdline = '* --handler={h}*'\nname = 'handler-{h}'\n",
        );
        let facts = ProcessFacts {
            cgroup: "/",
            cmdline: b"python3\0--handler=resize\0",
            environ: b"OTHER=1\0FN=thumb\x1b\0",
            ..Default::default()
        };
        assert_eq!(
            rules.of_process(&facts),
            function("thumb\x1b", Source::Environ)
        );
        let facts = ProcessFacts {
            environ: b"FN=",
            ..facts
        };
        assert_eq!(
            rules.of_process(&facts),
            function("handler-resize", Source::Cmdline)
        );
    }

    #[test]
    fn unknown_facts_match_nothing() {
        let rules = rules(
            "[[function]]\ncomm = '*'\n\
             [[function]]\ncmdline = '*'\nname = 'c'\n\
             [[function]]\nenviron = 'A=*'\nname = 'e'\n",
        );
        let facts = ProcessFacts {
            cgroup: "/x",
            ..Default::default()
        };
        assert_eq!(rules.of_process(&facts), function("x", Source::LeafCgroup));
    }

    proptest! {
        #[test]
        fn a_process_without_facts_is_what_its_cgroup_says(
            path in "(/[ab]{0,2}){0,3}|\\p{any}{0,20}",
        ) {
            let rules = rules(
                "[[function]]\ncgroup = '/a/{x}/...'\n\
                 [[function]]\ncomm = '*'\n\
                 [[function]]\ncgroup = '/.../b'\ngeneric = true",
            );
            let facts = ProcessFacts { cgroup: &path, ..Default::default() };
            let of_cgroup = rules.of_cgroup(&path);
            prop_assert_eq!(&rules.of_process(&facts), of_cgroup.without_facts());
        }

        #[test]
        fn any_facts_are_something(
            comm in proptest::collection::vec(any::<u8>(), 0..20),
            cmdline in proptest::collection::vec(any::<u8>(), 0..60),
            environ in "([AB]?=?[\\x00-\\xff]{0,5}\\x00){0,6}",
        ) {
            let rules = rules(
                "[[function]]\nenviron = 'A={x}=*'\n\
                 [[function]]\ncmdline = '*a{y}'\n\
                 [[function]]\ncomm = '{z}'",
            );
            rules.of_process(&ProcessFacts {
                cgroup: "/x",
                comm: &comm,
                cmdline: &cmdline,
                environ: environ.as_bytes(),
            });
        }
    }
}

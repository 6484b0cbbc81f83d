// SPDX-License-Identifier: GPL-2.0-only
//! What is known of the functions there are, taken from a file at start.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use log::info;
use scx_alps::invocation::FunctionId;
use scx_alps::learn::{Learner, LearnerConfig};
use scx_alps::policy::{PolicyEntry, PolicyTable};

use crate::options::Options;
use crate::state;

/// What a task is to the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In no function: it goes by its own recent bursts.
    Generic,
    /// Of the function in a slot; in slot 0 are all that are not known.
    Function(FunctionId),
}

/// Functions by their cgroups, and what is expected of them.
pub struct Functions {
    by_name: HashMap<Box<[u8]>, FunctionId>,
    expectations: PolicyTable,
}

impl Functions {
    /// What the options say is known.
    ///
    /// # Errors
    /// When the file cannot be read as a state file.
    pub fn load(options: &Options) -> Result<Self> {
        let method = options.policy.method().unwrap_or(options.ml);
        let mut learner = Learner::new(
            LearnerConfig::default().expectations(),
            method.predictor(options.objective),
        );
        let mut by_name = HashMap::new();
        if let Some(path) = &options.state {
            read(path, &mut learner, &mut by_name)?;
            info!("{} functions known from {}", by_name.len(), path.display());
        }
        let expectations = learner.round(0, 0.0).clone();
        Ok(Self {
            by_name,
            expectations,
        })
    }

    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// What the tasks of a cgroup are, as with no rules at all. Where nothing
    /// is known of any function all are generic.
    pub fn at(&self, path: &[u8]) -> Place {
        match path {
            _ if self.by_name.is_empty() => Place::Generic,
            b"" | b"/" | b"/init.scope" => Place::Generic,
            [b'/', name @ ..] | name => {
                let known = self.by_name.get(name).copied();
                Place::Function(known.unwrap_or(FunctionId::PRIOR))
            }
        }
    }

    /// What is expected of a function.
    pub fn entry(&self, function: FunctionId) -> Option<&PolicyEntry> {
        self.expectations.get(function)
    }
}

fn read(
    path: &Path,
    learner: &mut Learner,
    by_name: &mut HashMap<Box<[u8]>, FunctionId>,
) -> Result<()> {
    let saved = state::load(path)?.with_context(|| {
        format!(
            "there is no {}: 'scx_alps --state FILE' writes one when it ends",
            path.display()
        )
    })?;
    let slots = (1..).map_while(FunctionId::new);
    for (function, saved) in slots.zip(saved) {
        learner.restore(function, &saved.history);
        by_name.insert(saved.name.into_bytes().into(), function);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn load(text: &str) -> Result<Functions> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        std::fs::write(&path, text).unwrap();
        let options = ["scx_rlalps", "--state", path.to_str().unwrap()];
        Functions::load(&Options::try_parse_from(options).unwrap())
    }

    const STATE: &str = r#"{"format":1,"functions":[
        {"name":"pods/short","source":"leaf_cgroup","history":[1000000,1000000]},
        {"name":"pods/long","source":"leaf_cgroup","history":[500000000,500000000]}]}"#;

    #[test]
    fn functions_are_found_by_their_cgroups() {
        let functions = load(STATE).unwrap();
        let expected_ns = |path: &str| match functions.at(path.as_bytes()) {
            Place::Generic => None,
            Place::Function(function) => Some(functions.entry(function).unwrap().predicted_ns),
        };
        assert_eq!(expected_ns("/pods/short"), Some(1_000_000));
        assert_eq!(expected_ns("/pods/long"), Some(500_000_000));
        assert!(expected_ns("/pods/new").is_some());
        for generic in ["/", "/init.scope", ""] {
            assert_eq!(expected_ns(generic), None, "{generic}");
        }
    }

    #[test]
    fn with_nothing_known_all_are_generic() {
        let functions = Functions::load(&Options::try_parse_from(["scx_rlalps"]).unwrap());
        assert_eq!(functions.unwrap().at(b"/pods/short"), Place::Generic);
    }

    #[test]
    fn what_is_no_state_is_refused_with_its_name() {
        for text in ["", "{}", "[]"] {
            let error = format!("{:#}", load(text).err().unwrap());
            assert!(error.contains("state.json"), "{error}");
        }
        let options = ["scx_rlalps", "--state", "/nonexistent/state.json"];
        let error = Functions::load(&Options::try_parse_from(options).unwrap());
        let error = format!("{:#}", error.err().unwrap());
        assert!(error.contains("scx_alps --state"), "{error}");
    }
}

// SPDX-License-Identifier: GPL-2.0-only
//! The answer: which function, and how far the answer can be trusted.

use std::fmt;

use super::name::FunctionName;

/// What a function's name was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The cgroup itself, where no rule matches it.
    LeafCgroup,
    /// A rule on the cgroup's path.
    CgroupRule,
    /// The configuration of the OpenLambda worker whose sandbox the cgroup is.
    OpenLambda,
    /// What this program's own worker made the cgroup for.
    Worker,
    /// The name a container was given by who started it.
    ContainerName,
    /// The name of a container's pod.
    PodName,
    /// Labels of a container or of its pod.
    Label,
    /// A rule on the process's comm.
    Comm,
    /// A rule on the process's command line.
    Cmdline,
    /// A rule on a variable of the process's environment.
    Environ,
}

/// How far a name can be trusted: who could have chosen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certainty {
    /// Only who runs the machine.
    Sure,
    /// Who deployed the container, or made its image; no process in it.
    Declared,
    /// The processes themselves.
    Spoofable,
}

impl Certainty {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Certainty::Sure => "sure",
            Certainty::Declared => "declared",
            Certainty::Spoofable => "spoofable",
        }
    }
}

impl Source {
    /// Who could have chosen a name from this source.
    pub fn certainty(self) -> Certainty {
        match self {
            Source::LeafCgroup
            | Source::CgroupRule
            | Source::OpenLambda
            | Source::Worker
            | Source::ContainerName => Certainty::Sure,
            Source::PodName | Source::Label => Certainty::Declared,
            Source::Comm | Source::Cmdline | Source::Environ => Certainty::Spoofable,
        }
    }

    /// Whether a process can choose the name, and so join another's function.
    /// It cannot choose its cgroup, unless the platform lets it.
    pub fn is_spoofable(self) -> bool {
        self.certainty() == Certainty::Spoofable
    }

    /// The source in a word, without the mark that [`fmt::Display`] adds to
    /// those which are spoofable.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::LeafCgroup => "leaf cgroup",
            Source::CgroupRule => "cgroup rule",
            Source::OpenLambda => "openlambda",
            Source::Worker => "worker",
            Source::ContainerName => "container name",
            Source::PodName => "pod name",
            Source::Label => "label",
            Source::Comm => "comm",
            Source::Cmdline => "cmdline",
            Source::Environ => "environ",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.is_spoofable() {
            ", spoofable"
        } else {
            ""
        };
        write!(f, "{}{mark}", self.as_str())
    }
}

/// What a task is to the scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// An invocation of a function.
    Function { name: FunctionName, source: Source },
    /// In no function: it is treated by its own recent burst.
    Generic,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Identity::Function { name, source } => write!(f, "{name} ({source})"),
            Identity::Generic => f.write_str("generic"),
        }
    }
}

/// What is known of a cgroup's tasks by its path alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CgroupIdentity {
    /// All its tasks are this.
    Whole(Identity),
    /// A rule on processes comes before the one that decided, so each process
    /// has to be asked. Those which no such rule matches are `otherwise`.
    PerProcess { otherwise: Identity },
}

impl CgroupIdentity {
    /// The identity of a task of which nothing but its cgroup is known.
    pub fn without_facts(&self) -> &Identity {
        match self {
            CgroupIdentity::Whole(identity) => identity,
            CgroupIdentity::PerProcess { otherwise } => otherwise,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spoofable_is_marked() {
        let function = |source| Identity::Function {
            name: FunctionName::new("resize"),
            source,
        };
        assert_eq!(
            function(Source::Environ).to_string(),
            "resize (environ, spoofable)"
        );
        assert_eq!(
            function(Source::CgroupRule).to_string(),
            "resize (cgroup rule)"
        );
        assert_eq!(Identity::Generic.to_string(), "generic");
    }
}

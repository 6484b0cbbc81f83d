// SPDX-License-Identifier: GPL-2.0-only
//! Functions and their slots in the policy table.

use std::collections::{HashMap, VecDeque};

use super::identity::{Certainty, Source};
use super::name::FunctionName;
use crate::invocation::FunctionId;

/// Which function has which slot.
///
/// Slots are given out and taken back. One that was taken back is given out
/// again last, so that invocations still under way in it do not count for
/// another function at once.
///
/// Names are kept apart by how far they can be trusted: under the same name
/// there may be one function of each [`Certainty`], so a process cannot join a
/// function that is identified by cgroup, nor can who deploys a container.
#[derive(Debug)]
pub struct Registry {
    /// By slot.
    functions: Vec<Option<Registered>>,
    sure: HashMap<FunctionName, FunctionId>,
    declared: HashMap<FunctionName, FunctionId>,
    spoofable: HashMap<FunctionName, FunctionId>,
    /// The next to be given out first.
    free: VecDeque<FunctionId>,
}

#[derive(Debug)]
struct Registered {
    name: FunctionName,
    source: Source,
}

impl Registry {
    /// A registry for a table of `slots` slots, the prior's included, which
    /// is never given out; at most [`FunctionId::CAPACITY`].
    pub fn new(slots: usize) -> Self {
        let slots = slots.min(FunctionId::CAPACITY);
        Self {
            functions: std::iter::repeat_with(|| None).take(slots).collect(),
            sure: HashMap::new(),
            declared: HashMap::new(),
            spoofable: HashMap::new(),
            free: (1..)
                .map_while(FunctionId::new)
                .take(slots.saturating_sub(1))
                .collect(),
        }
    }

    /// The function's slot: the one it has, or else a free one; `None` where
    /// there is none free. A function remains under the source it was first
    /// seen with.
    pub fn assign(&mut self, name: &FunctionName, source: Source) -> Option<FunctionId> {
        if let Some(&id) = self.ids(source).get(name) {
            return Some(id);
        }
        let id = self.free.pop_front()?;
        *self.functions.get_mut(id.slot())? = Some(Registered {
            name: name.clone(),
            source,
        });
        self.ids(source).insert(name.clone(), id);
        Some(id)
    }

    /// The slot the function has, if it has one.
    pub fn find(&self, name: &FunctionName, source: Source) -> Option<FunctionId> {
        let ids = match source.certainty() {
            Certainty::Sure => &self.sure,
            Certainty::Declared => &self.declared,
            Certainty::Spoofable => &self.spoofable,
        };
        ids.get(name).copied()
    }

    /// Takes back a slot and says whose it was; `None` where it was no one's.
    pub fn release(&mut self, id: FunctionId) -> Option<FunctionName> {
        let Registered { name, source } = self.functions.get_mut(id.slot())?.take()?;
        self.ids(source).remove(&name);
        self.free.push_back(id);
        Some(name)
    }

    /// The name of the function in a slot.
    pub fn name(&self, id: FunctionId) -> Option<&FunctionName> {
        self.registered(id).map(|function| &function.name)
    }

    /// What the name of the function in a slot was taken from.
    pub fn source(&self, id: FunctionId) -> Option<Source> {
        self.registered(id).map(|function| function.source)
    }

    /// All functions, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = (FunctionId, &FunctionName, Source)> {
        (0..).zip(&self.functions).filter_map(|(slot, function)| {
            let Registered { name, source } = function.as_ref()?;
            Some((FunctionId::new(slot)?, name, *source))
        })
    }

    /// How many functions there are.
    pub fn len(&self) -> usize {
        self.sure.len() + self.declared.len() + self.spoofable.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn registered(&self, id: FunctionId) -> Option<&Registered> {
        self.functions.get(id.slot())?.as_ref()
    }

    fn ids(&mut self, source: Source) -> &mut HashMap<FunctionName, FunctionId> {
        match source.certainty() {
            Certainty::Sure => &mut self.sure,
            Certainty::Declared => &mut self.declared,
            Certainty::Spoofable => &mut self.spoofable,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assign(registry: &mut Registry, name: &str) -> Option<usize> {
        let id = registry.assign(&FunctionName::new(name), Source::LeafCgroup);
        id.map(FunctionId::slot)
    }

    fn release(registry: &mut Registry, slot: u32) -> Option<String> {
        let id = FunctionId::new(slot).unwrap();
        registry.release(id).map(|name| name.to_string())
    }

    #[test]
    fn a_function_keeps_its_slot() {
        let mut registry = Registry::new(4);
        assert_eq!(assign(&mut registry, "a"), Some(1));
        assert_eq!(assign(&mut registry, "b"), Some(2));
        assert_eq!(assign(&mut registry, "a"), Some(1));
        let names: Vec<_> = registry
            .iter()
            .map(|(id, name, _)| (id.slot(), name.to_string()))
            .collect();
        assert_eq!(names, [(1, "a".to_owned()), (2, "b".to_owned())]);
    }

    #[test]
    fn a_full_registry_gives_no_slot() {
        let mut registry = Registry::new(3);
        assert_eq!(assign(&mut registry, "a"), Some(1));
        assert_eq!(assign(&mut registry, "b"), Some(2));
        assert_eq!(assign(&mut registry, "c"), None);
        assert_eq!(assign(&mut registry, "a"), Some(1));
        assert_eq!(registry.len(), 2);
        for slots in [0, 1] {
            assert_eq!(assign(&mut Registry::new(slots), "a"), None);
        }
    }

    #[test]
    fn every_slot_but_the_priors_is_given() {
        let mut registry = Registry::new(usize::MAX);
        for slot in 1..FunctionId::CAPACITY {
            assert_eq!(assign(&mut registry, &slot.to_string()), Some(slot));
        }
        assert_eq!(assign(&mut registry, "more"), None);
    }

    #[test]
    fn slots_are_reused_oldest_first_after_fresh_ones() {
        let mut registry = Registry::new(5);
        for name in ["a", "b", "c"] {
            assign(&mut registry, name);
        }
        assert_eq!(release(&mut registry, 2).as_deref(), Some("b"));
        assert_eq!(release(&mut registry, 1).as_deref(), Some("a"));
        for (name, slot) in [("d", 4), ("e", 2), ("f", 1)] {
            assert_eq!(assign(&mut registry, name), Some(slot));
        }
    }

    #[test]
    fn releasing_twice_or_the_prior_does_nothing() {
        let mut registry = Registry::new(3);
        assign(&mut registry, "a");
        assert_eq!(release(&mut registry, 1).as_deref(), Some("a"));
        assert_eq!(release(&mut registry, 1), None);
        assert_eq!(release(&mut registry, 0), None);
        assert_eq!(release(&mut registry, 4000), None);
        assert!(registry.is_empty());
        assert_eq!(assign(&mut registry, "b"), Some(2));
        assert_eq!(assign(&mut registry, "c"), Some(1));
        assert_eq!(assign(&mut registry, "d"), None);
    }

    #[test]
    fn a_spoofed_name_does_not_join_a_cgroups_function() {
        let mut registry = Registry::new(8);
        let name = FunctionName::new("resize");
        let by_cgroup = registry.assign(&name, Source::CgroupRule).unwrap();
        let by_comm = registry.assign(&name, Source::Comm).unwrap();
        assert_ne!(by_cgroup, by_comm);
        assert_eq!(registry.assign(&name, Source::Environ), Some(by_comm));
        assert_eq!(registry.assign(&name, Source::LeafCgroup), Some(by_cgroup));
        assert_eq!(registry.source(by_comm), Some(Source::Comm));
        assert_eq!(registry.name(by_comm), Some(&name));
        let by_label = registry.assign(&name, Source::Label).unwrap();
        assert!(![by_cgroup, by_comm].contains(&by_label));
        registry.release(by_comm);
        assert_eq!(registry.assign(&name, Source::CgroupRule), Some(by_cgroup));
    }

    proptest! {
        #[test]
        fn names_and_slots_are_one_to_one(
            steps in proptest::collection::vec((any::<bool>(), 0u32..8), 0..80),
        ) {
            let mut registry = Registry::new(6);
            for (give, n) in steps {
                if give {
                    assign(&mut registry, &n.to_string());
                } else {
                    release(&mut registry, n);
                }
                let listed: Vec<_> = registry.iter().map(|(id, name, _)| (id, name.clone())).collect();
                prop_assert_eq!(listed.len(), registry.len());
                prop_assert_eq!(listed.len() + registry.free.len(), 5);
                for (id, name) in listed {
                    prop_assert_ne!(id, FunctionId::PRIOR);
                    prop_assert_eq!(registry.name(id), Some(&name));
                    prop_assert_eq!(registry.assign(&name, Source::CgroupRule), Some(id));
                }
            }
        }
    }
}

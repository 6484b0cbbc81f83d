// SPDX-License-Identifier: GPL-2.0-only
//! Who runs where, as far as is known: the kernel side tells of who comes, and
//! not of who goes.

/// The keys of the tasks that were sent to each CPU; 0 where nobody was.
pub struct Running {
    keys_ns: Box<[u64]>,
}

impl Running {
    pub fn new(cpus: usize) -> Self {
        Self {
            keys_ns: vec![0; cpus].into(),
        }
    }

    pub fn began(&mut self, cpu: i32, key_ns: u64) {
        if let Some(key) = self.key_mut(cpu) {
            *key = key_ns;
        }
    }

    pub fn ended(&mut self, cpu: i32) {
        self.began(cpu, 0);
    }

    /// The CPU of the last in the order, and its key.
    pub fn last(&self) -> Option<(usize, u64)> {
        let keys = self.keys_ns.iter().copied().enumerate();
        keys.max_by_key(|&(_, key)| key).filter(|&(_, key)| key > 0)
    }

    fn key_mut(&mut self, cpu: i32) -> Option<&mut u64> {
        self.keys_ns.get_mut(usize::try_from(cpu).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_in_the_order_is_the_one_with_the_largest_key() {
        let mut running = Running::new(3);
        assert_eq!(running.last(), None);
        running.began(0, 5);
        running.began(2, 9);
        assert_eq!(running.last(), Some((2, 9)));
        running.ended(2);
        assert_eq!(running.last(), Some((0, 5)));
        for cpu in [-1, 3, i32::MAX] {
            running.began(cpu, 99);
        }
        assert_eq!(running.last(), Some((0, 5)));
    }
}

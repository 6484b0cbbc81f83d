// SPDX-License-Identifier: GPL-2.0-only
//! Looks things up in a bolt database, which is where containerd and podman 4
//! keep labels.
//!
//! The format is bbolt's (go.etcd.io/bbolt, `page.go`, `meta.go`, `bucket.go`):
//! pages of a B+ tree of keys and values, a value being a bucket with a tree of
//! its own where it is marked so. The owner holds the file locked while it
//! runs, and waiting for its lock would be waiting for its end; but none is
//! needed. A transaction never writes to a page that the one before it can
//! reach. What was read is thus of one state, if the newest transaction is
//! still the same afterwards: [`look`] makes sure of that.

/// Marks the pages that tell of a transaction.
const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;

const PAGE_HEADER: usize = 16;
/// Of an element in a branch or a leaf.
const ELEMENT: usize = 16;
/// Root page and sequence of a bucket.
const BUCKET_HEADER: usize = 16;
const META: usize = 64;

const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
const IS_BUCKET: u32 = 0x01;

/// Trees are a few pages deep; deeper ones are damaged.
const MAX_DEPTH: usize = 24;
/// Pages in a row that hold one node.
const MAX_OVERFLOW: u32 = 2048;
/// Pages looked at for one answer.
const MAX_PAGES: u32 = 4096;
/// Entries of a bucket that are listed.
const MAX_ENTRIES: usize = 4096;

/// How often a database that is being written to is looked at again.
const TRIES: usize = 5;

/// Reads so many bytes at an offset; `None` where there are none.
pub trait Pages {
    fn read(&self, offset: u64, length: usize) -> Option<Vec<u8>>;
}

impl Pages for &[u8] {
    fn read(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        let start = usize::try_from(offset).ok()?;
        self.get(start..start.checked_add(length)?)
            .map(<[u8]>::to_vec)
    }
}

/// Ask a database something, all of it in one state. `None` where it is
/// damaged, or where it changes all the time.
pub fn look<P: Pages, T>(pages: &P, question: impl Fn(&Bolt<'_, P>) -> T) -> Option<T> {
    for _ in 0..TRIES {
        let bolt = Bolt::open(pages)?;
        let answer = question(&bolt);
        if Bolt::open(pages)?.transaction == bolt.transaction {
            return Some(answer);
        }
    }
    None
}

/// A database in the state its newest transaction left.
pub struct Bolt<'a, P> {
    pages: &'a P,
    page_size: usize,
    root: u64,
    transaction: u64,
}

/// A bucket: a tree on pages of its own, or a small one within its parent's.
enum Tree {
    Page(u64),
    Inline(Vec<u8>),
}

impl<'a, P: Pages> Bolt<'a, P> {
    fn open(pages: &'a P) -> Option<Self> {
        let first = Meta::read(pages, 0);
        // The second one is a page further on, whose size the first one tells;
        // while the first one is being written, by the sizes there are.
        let sizes = first.as_ref().map(|meta| meta.page_size);
        let second = match sizes {
            Some(size) => Meta::read(pages, size as u64),
            None => [4096, 8192, 16384, 65536]
                .into_iter()
                .find_map(|size| Meta::read(pages, size)),
        };
        let newest = [first, second]
            .into_iter()
            .flatten()
            .max_by_key(|meta| meta.transaction)?;
        Some(Self {
            pages,
            page_size: newest.page_size,
            root: newest.root,
            transaction: newest.transaction,
        })
    }

    /// The value at the end of a path of buckets.
    pub fn value(&self, buckets: &[&str], key: &str) -> Option<Vec<u8>> {
        let tree = self.tree(buckets)?;
        let (flags, value) = self.find(&tree, key.as_bytes())?;
        (flags & IS_BUCKET == 0).then_some(value)
    }

    /// Keys and values at the end of a path of buckets; buckets are left out.
    pub fn entries(&self, buckets: &[&str]) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.listed(buckets, |flags| flags & IS_BUCKET == 0)
    }

    /// The names of the buckets at the end of a path of buckets.
    pub fn buckets(&self, buckets: &[&str]) -> Vec<Vec<u8>> {
        let listed = self.listed(buckets, |flags| flags & IS_BUCKET != 0);
        listed.into_iter().map(|(name, _)| name).collect()
    }

    fn listed(&self, buckets: &[&str], wanted: impl Fn(u32) -> bool) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut entries = Vec::new();
        if let Some(tree) = self.tree(buckets) {
            let mut left = MAX_PAGES;
            self.list(&tree, 0, &mut left, &wanted, &mut entries);
        }
        entries
    }

    fn tree(&self, buckets: &[&str]) -> Option<Tree> {
        let mut tree = Tree::Page(self.root);
        for name in buckets {
            let (flags, value) = self.find(&tree, name.as_bytes())?;
            if flags & IS_BUCKET == 0 {
                return None;
            }
            tree = match u64_at(&value, 0)? {
                0 => Tree::Inline(value.get(BUCKET_HEADER..)?.to_vec()),
                root => Tree::Page(root),
            };
        }
        Some(tree)
    }

    fn node(&self, tree: &Tree) -> Option<Vec<u8>> {
        let number = match tree {
            Tree::Inline(node) => return Some(node.clone()),
            Tree::Page(number) => *number,
        };
        let offset = number.checked_mul(self.page_size as u64)?;
        let first = self.pages.read(offset, self.page_size)?;
        match u32_at(&first, 12)? {
            0 => Some(first),
            more if more <= MAX_OVERFLOW => self
                .pages
                .read(offset, self.page_size.checked_mul(more as usize + 1)?),
            _ => None,
        }
    }

    /// The flags and the value of a key.
    fn find(&self, tree: &Tree, key: &[u8]) -> Option<(u32, Vec<u8>)> {
        let mut node = Node(self.node(tree)?);
        for _ in 0..MAX_DEPTH {
            if node.is(LEAF)? {
                let index = node.first_not_below(key)?;
                let (flags, found, value) = node.leaf(index)?;
                return (found == key).then(|| (flags, value.to_vec()));
            }
            if !node.is(BRANCH)? {
                return None;
            }
            let index = node.first_not_below(key)?;
            // The last branch that does not begin after the key.
            let exact = node.key(index).is_some_and(|first| first == key);
            let index = if exact {
                index
            } else {
                index.saturating_sub(1)
            };
            node = Node(self.node(&Tree::Page(node.branch(index)?))?);
        }
        None
    }

    fn list(
        &self,
        tree: &Tree,
        depth: usize,
        left: &mut u32,
        wanted: &impl Fn(u32) -> bool,
        entries: &mut Vec<(Vec<u8>, Vec<u8>)>,
    ) -> Option<()> {
        *left = left.checked_sub(1)?;
        let node = Node(self.node(tree)?);
        let is_leaf = node.is(LEAF)?;
        if depth == MAX_DEPTH || !(is_leaf || node.is(BRANCH)?) {
            return None;
        }
        for index in 0..node.count()? {
            if entries.len() == MAX_ENTRIES {
                return None;
            }
            if is_leaf {
                let (flags, key, value) = node.leaf(index)?;
                if wanted(flags) {
                    entries.push((key.to_vec(), value.to_vec()));
                }
            } else {
                let child = Tree::Page(node.branch(index)?);
                self.list(&child, depth + 1, left, wanted, entries)?;
            }
        }
        Some(())
    }
}

/// What one of the two first pages tells of a transaction.
struct Meta {
    page_size: usize,
    root: u64,
    transaction: u64,
}

impl Meta {
    fn read(pages: &impl Pages, offset: u64) -> Option<Self> {
        let page = pages.read(offset, PAGE_HEADER + META)?;
        let meta = page.get(PAGE_HEADER..)?;
        let page_size = u32_at(meta, 8)?;
        let sound = u32_at(meta, 0)? == MAGIC
            && u32_at(meta, 4)? == VERSION
            && (512..=1 << 17).contains(&page_size)
            && page_size.is_power_of_two()
            && u64_at(meta, 56)? == fnv1a(meta.get(..56)?);
        sound.then_some(Self {
            page_size: page_size as usize,
            root: u64_at(meta, 16)?,
            transaction: u64_at(meta, 48)?,
        })
    }
}

/// A branch or a leaf.
struct Node(Vec<u8>);

impl Node {
    fn is(&self, kind: u16) -> Option<bool> {
        Some(u16_at(&self.0, 8)? & kind != 0)
    }

    fn count(&self) -> Option<usize> {
        u16_at(&self.0, 10).map(usize::from)
    }

    fn element(index: usize) -> usize {
        PAGE_HEADER + index * ELEMENT
    }

    /// Bytes at a distance from an element.
    fn bytes(&self, element: usize, distance: usize, length: usize) -> Option<&[u8]> {
        let start = element.checked_add(distance)?;
        self.0.get(start..start.checked_add(length)?)
    }

    fn leaf(&self, index: usize) -> Option<(u32, &[u8], &[u8])> {
        let element = Self::element(index);
        let field = |place| u32_at(&self.0, element + place).map(|field| field as usize);
        let (distance, key, value) = (field(4)?, field(8)?, field(12)?);
        Some((
            u32_at(&self.0, element)?,
            self.bytes(element, distance, key)?,
            self.bytes(element, distance.checked_add(key)?, value)?,
        ))
    }

    fn branch(&self, index: usize) -> Option<u64> {
        (index < self.count()?).then_some(())?;
        u64_at(&self.0, Self::element(index) + 8)
    }

    fn key(&self, index: usize) -> Option<&[u8]> {
        (index < self.count()?).then_some(())?;
        if self.is(LEAF)? {
            return self.leaf(index).map(|(_, key, _)| key);
        }
        let element = Self::element(index);
        let field = |place| u32_at(&self.0, element + place).map(|field| field as usize);
        self.bytes(element, field(0)?, field(4)?)
    }

    /// The first element whose key is not below `key`; their count where there
    /// is none.
    fn first_not_below(&self, key: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.count()?);
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle)? < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Some(low)
    }
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    const PAGE: usize = 4096;

    /// A database as bbolt writes it, page by page.
    struct Writer {
        pages: Vec<Vec<u8>>,
    }

    enum Value<'a> {
        Bytes(&'a [u8]),
        Bucket(Vec<u8>),
    }

    impl Writer {
        fn new() -> Self {
            Self {
                pages: vec![vec![0; PAGE]; 2],
            }
        }

        fn put(&mut self, mut node: Vec<u8>) -> u64 {
            let number = self.pages.len();
            let overflow = node.len().div_ceil(PAGE) - 1;
            node[12..16].copy_from_slice(&(overflow as u32).to_le_bytes());
            node.resize((overflow + 1) * PAGE, 0);
            self.pages
                .extend(node.chunks(PAGE).map(<[u8]>::to_vec).collect::<Vec<_>>());
            number as u64
        }

        fn leaf(entries: &[(&str, Value<'_>)]) -> Vec<u8> {
            let mut node = vec![0; PAGE_HEADER];
            node[8..10].copy_from_slice(&LEAF.to_le_bytes());
            node[10..12].copy_from_slice(&(entries.len() as u16).to_le_bytes());
            let mut data = Vec::new();
            for (index, (key, value)) in entries.iter().enumerate() {
                let (flags, value) = match value {
                    Value::Bytes(bytes) => (0, bytes.to_vec()),
                    Value::Bucket(bytes) => (IS_BUCKET, bytes.clone()),
                };
                let distance = (entries.len() - index) * ELEMENT + data.len();
                for field in [flags, distance as u32, key.len() as u32, value.len() as u32] {
                    node.extend(field.to_le_bytes());
                }
                data.extend(key.as_bytes());
                data.extend(value);
            }
            node.extend(data);
            node
        }

        fn branch(children: &[(&str, u64)]) -> Vec<u8> {
            let mut node = vec![0; PAGE_HEADER];
            node[8..10].copy_from_slice(&BRANCH.to_le_bytes());
            node[10..12].copy_from_slice(&(children.len() as u16).to_le_bytes());
            let mut data = Vec::<u8>::new();
            for (index, (key, page)) in children.iter().enumerate() {
                let distance = (children.len() - index) * ELEMENT + data.len();
                node.extend((distance as u32).to_le_bytes());
                node.extend((key.len() as u32).to_le_bytes());
                node.extend(page.to_le_bytes());
                data.extend(key.as_bytes());
            }
            node.extend(data);
            node
        }

        fn inline(entries: &[(&str, Value<'_>)]) -> Value<'static> {
            let mut bytes = vec![0; BUCKET_HEADER];
            bytes.extend(Self::leaf(entries));
            Value::Bucket(bytes)
        }

        fn bucket(root: u64) -> Value<'static> {
            let mut bytes = root.to_le_bytes().to_vec();
            bytes.extend([0; 8]);
            Value::Bucket(bytes)
        }

        fn meta(&mut self, page: usize, root: u64, transaction: u64) {
            let mut meta = Vec::new();
            for field in [MAGIC, VERSION, PAGE as u32, 0] {
                meta.extend(field.to_le_bytes());
            }
            for field in [root, 0, 0, 0, transaction] {
                meta.extend(field.to_le_bytes());
            }
            meta.extend(fnv1a(&meta).to_le_bytes());
            self.pages[page][PAGE_HEADER..][..META].copy_from_slice(&meta);
        }

        fn bytes(&self) -> Vec<u8> {
            self.pages.concat()
        }
    }

    /// Containers as containerd has them, on two leaves below a branch.
    fn containers() -> Vec<u8> {
        let mut writer = Writer::new();
        let big = vec![b'x'; 3 * PAGE];
        let labels = |function: &'static str| {
            Writer::inline(&[
                ("faas_function", Value::Bytes(function.as_bytes())),
                ("other", Value::Bytes(b"1")),
            ])
        };
        let container = |function| {
            let Value::Bucket(labels) = labels(function) else {
                unreachable!()
            };
            Writer::inline(&[
                ("image", Value::Bytes(b"i")),
                ("labels", Value::Bucket(labels)),
            ])
        };
        let first = writer.put(Writer::leaf(&[
            ("a", container("fa")),
            ("b", Value::Bytes(&big)),
            ("c", container("fc")),
        ]));
        let second = writer.put(Writer::leaf(&[
            ("m", container("fm")),
            ("z", container("fz")),
        ]));
        let root = writer.put(Writer::branch(&[("a", first), ("m", second)]));
        let namespace = writer.put(Writer::leaf(&[("containers", Writer::bucket(root))]));
        let v1 = writer.put(Writer::leaf(&[("default", Writer::bucket(namespace))]));
        let top = writer.put(Writer::leaf(&[("v1", Writer::bucket(v1))]));
        let empty = writer.put(Writer::leaf(&[]));
        writer.meta(0, empty, 6);
        writer.meta(1, top, 7);
        writer.bytes()
    }

    fn function(database: &[u8], container: &str) -> Option<String> {
        let path = ["v1", "default", "containers", container, "labels"];
        let value = look(&database, |bolt| bolt.value(&path, "faas_function"))??;
        String::from_utf8(value).ok()
    }

    #[test]
    fn values_are_found_through_branches_and_buckets() {
        let database = containers();
        for (container, expected) in [
            ("a", Some("fa")),
            ("c", Some("fc")),
            ("m", Some("fm")),
            ("z", Some("fz")),
            ("b", None),
            ("0", None),
            ("d", None),
            ("zz", None),
        ] {
            assert_eq!(function(&database, container).as_deref(), expected);
        }
        let listed = look(&&*database, |bolt| {
            let containers = ["v1", "default", "containers"];
            let labels = ["v1", "default", "containers", "a", "labels"];
            (bolt.buckets(&containers), bolt.entries(&labels))
        });
        let (buckets, labels) = listed.unwrap();
        assert_eq!(buckets, [b"a", b"c", b"m", b"z"]);
        assert_eq!(labels[1], (b"other".to_vec(), b"1".to_vec()));
    }

    #[test]
    fn the_older_state_holds_while_the_newer_is_written() {
        let mut database = containers();
        assert!(function(&database, "a").is_some());
        // Torn: the newer of the two is not whole.
        database[PAGE + PAGE_HEADER + 50] ^= 1;
        assert_eq!(function(&database, "a"), None);
        database[PAGE_HEADER] ^= 1;
        assert!(look(&&*database, |_| ()).is_none());
        let mut database = containers();
        database[PAGE_HEADER] ^= 1;
        assert!(function(&database, "a").is_some(), "the other one's page");
    }

    /// A database whose transactions go on while it is read.
    struct Restless {
        before: Vec<u8>,
        after: Vec<u8>,
        reads: Cell<usize>,
        changes_at: usize,
    }

    impl Pages for Restless {
        fn read(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
            self.reads.set(self.reads.get() + 1);
            let now = if self.reads.get() > self.changes_at {
                &self.after
            } else {
                &self.before
            };
            (&**now).read(offset, length)
        }
    }

    #[test]
    fn an_answer_is_of_one_state() {
        let before = containers();
        let mut after = before.clone();
        let mut writer = Writer {
            pages: after.chunks(PAGE).map(<[u8]>::to_vec).collect(),
        };
        let leaf = writer.put(Writer::leaf(&[("new", Value::Bytes(b"1"))]));
        writer.meta(0, leaf, 8);
        after = writer.bytes();
        for changes_at in 0..30 {
            let database = Restless {
                before: before.clone(),
                after: after.clone(),
                reads: Cell::new(0),
                changes_at,
            };
            let path = ["v1", "default", "containers", "z", "labels"];
            let (old, new) = look(&database, |bolt| {
                (bolt.value(&path, "faas_function"), bolt.value(&[], "new"))
            })
            .unwrap();
            assert!(old.is_some() != new.is_some(), "{changes_at}");
        }
    }

    proptest! {
        #[test]
        fn damage_is_an_answer_of_some_kind(
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut database = containers();
            // The first two pages are checked as a whole.
            let body = database.len() - 2 * PAGE;
            for (index, byte) in damage {
                // Headers and elements are at the pages' beginnings.
                let index = 2 * PAGE + index.index(body / PAGE * 128);
                let at = 2 * PAGE + (index - 2 * PAGE) / 128 * PAGE + index % 128;
                database[at] = byte;
            }
            for database in [&database[..], &database[..cut.index(database.len())]] {
                function(database, "c");
                look(&database, |bolt| bolt.entries(&["v1", "default", "containers"]));
            }
        }

        #[test]
        fn any_bytes_are_no_database(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(look(&&*bytes, |_| ()).is_none());
        }
    }
}

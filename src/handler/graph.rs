// SPDX-License-Identifier: GPL-2.0-only
//! Work on random graphs: nodes come one by one and attach themselves to ten
//! of those there are, the likelier the more attached these are already
//! (Barabási and Albert, Science 286, 1999).

use petgraph::Graph;
use petgraph::Undirected;
use petgraph::algo::{min_spanning_tree, page_rank};
use petgraph::data::Element;
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::unionfind::UnionFind;
use petgraph::visit::{Bfs, EdgeRef};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::{WrongResult, ensure};

/// How many others a node attaches itself to.
const ATTACHMENTS: usize = 10;

const SEED: u64 = 1;

/// PageRank's usual damping.
const DAMPING: f64 = 0.85;
const ITERATIONS: usize = 30;

fn random(n: u64) -> UnGraph<(), f64> {
    let n = n as usize;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(SEED);
    let mut graph = Graph::<(), f64, Undirected>::with_capacity(n, n * ATTACHMENTS);
    // Each node as often as it has ends of edges, and once for itself.
    let mut ends: Vec<NodeIndex> = Vec::with_capacity(n * (2 * ATTACHMENTS + 1));
    for new in 0..n {
        let node = graph.add_node(());
        let attachments = new.min(ATTACHMENTS);
        let known = ends.len();
        for _ in 0..attachments {
            let other = ends[rng.random_range(0..known)];
            graph.add_edge(node, other, rng.random_range(0.0..1.0));
            ends.push(node);
            ends.push(other);
        }
        ends.push(node);
    }
    graph
}

/// Answers how many nodes are within reach of the first, and how far the
/// farthest is.
pub fn bfs(n: u64) -> Result<Value, WrongResult> {
    let graph = random(n);
    let mut depth: Vec<Option<u64>> = vec![None; graph.node_count()];
    let Some(root) = graph.node_indices().next() else {
        return Ok(json!({"reached": 0, "depth": 0}));
    };
    depth[root.index()] = Some(0);
    let mut search = Bfs::new(&graph, root);
    while let Some(node) = search.next(&graph) {
        let next = depth[node.index()].map(|depth| depth + 1);
        for neighbour in graph.neighbors(node) {
            let depth = &mut depth[neighbour.index()];
            *depth = depth.or(next);
        }
    }
    let reached = depth.iter().flatten().count();
    ensure(reached == graph.node_count(), || {
        format!("{reached} of {n} nodes of a connected graph were reached")
    })?;
    // No shortcut was overlooked: an edge joins neighbouring depths.
    for edge in graph.edge_references() {
        let [a, b] = [edge.source(), edge.target()].map(|end| depth[end.index()].unwrap_or(0));
        ensure(a.abs_diff(b) <= 1, || {
            format!("an edge joins depths {a} and {b}")
        })?;
    }
    let deepest = depth.iter().flatten().max().copied().unwrap_or(0);
    Ok(json!({"reached": reached, "depth": deepest}))
}

/// Answers the number of edges and the weight of the tree.
pub fn mst(n: u64) -> Result<Value, WrongResult> {
    let graph = random(n);
    let mut joined = UnionFind::<usize>::new(graph.node_count());
    let (mut edges, mut weight) = (0usize, 0.0);
    for element in min_spanning_tree(&graph) {
        if let Element::Edge {
            source,
            target,
            weight: of_edge,
        } = element
        {
            ensure(joined.union(source, target), || {
                format!("the edge {source}-{target} closes a circle")
            })?;
            edges += 1;
            weight += of_edge;
        }
    }
    let needed = graph.node_count().saturating_sub(1);
    ensure(edges == needed, || {
        format!("{edges} edges where a tree of {n} nodes has {needed}")
    })?;
    Ok(json!({"edges": edges, "weight": weight}))
}

/// Answers the highest rank and whose it is.
pub fn pagerank(n: u64) -> Result<Value, WrongResult> {
    let graph = random(n);
    if graph.node_count() == 0 {
        return Ok(json!({"node": null, "rank": 0.0}));
    }
    let ranks = page_rank(&graph, DAMPING, ITERATIONS);
    let sum: f64 = ranks.iter().sum();
    ensure((sum - 1.0).abs() < 1e-6, || {
        format!("the ranks come to {sum}, not to 1")
    })?;
    let highest = ranks.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let (node, rank) = highest.unwrap_or((0, &0.0));
    ensure(*rank >= 1.0 / n as f64 - 1e-9, || {
        format!("the highest rank {rank} is below the mean")
    })?;
    Ok(json!({"node": node, "rank": rank}))
}

#[cfg(test)]
mod tests {
    use petgraph::algo::min_spanning_tree_prim;

    use super::*;

    #[test]
    fn graphs_are_as_large_as_asked_for() {
        let graph = random(100);
        assert_eq!(graph.node_count(), 100);
        assert_eq!(graph.edge_count(), 45 + 90 * ATTACHMENTS);
    }

    #[test]
    fn two_algorithms_find_the_same_tree() {
        let graph = random(200);
        let prim: f64 = min_spanning_tree_prim(&graph)
            .filter_map(|element| match element {
                Element::Edge { weight, .. } => Some(weight),
                Element::Node { .. } => None,
            })
            .sum();
        let found = mst(200).unwrap();
        assert_eq!(found["edges"], 199);
        assert!((found["weight"].as_f64().unwrap() - prim).abs() < 1e-9);
    }

    #[test]
    fn the_oldest_nodes_rank_highest() {
        let found = pagerank(100).unwrap();
        assert!(found["node"].as_u64().unwrap() < 20, "{found}");
        assert_eq!(bfs(100).unwrap()["reached"], 100);
    }
}

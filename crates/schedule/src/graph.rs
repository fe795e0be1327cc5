//! The operations of a step as a graph: an edge where two of them may not change places.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use neuropil_ir::Access;
use neuropil_kernels::Program;
use neuropil_kernels::program::{OperationId, Resource, commutes};
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

/// The order of a step.
///
/// The meaning of a step is the sequential order: by slot, then `order`, then creation. The graph drops the order
/// between operations that touch nothing in common; what is left is what any execution must keep.
#[derive(Clone, Debug)]
pub struct Plan {
    sequence: Vec<OperationId>,
    waves: Vec<Vec<OperationId>>,
    graph: DiGraph<OperationId, Resource>,
}

impl Plan {
    /// Orders the operations of a program.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        let mut sequence: Vec<OperationId> = (0..program.operations.len()).map(OperationId::new).collect();
        sequence.sort_by_key(|id| {
            let operation = &program.operations[id.index()];
            (program.schedule.rank(operation.placed.when), operation.placed.order, *id)
        });
        let graph = dependencies(program, &sequence);
        let waves = waves(&graph);
        Self { sequence, waves, graph }
    }

    /// All operations in the order that defines the meaning of a step. Those whose clock does not tick are
    /// passed over.
    #[must_use]
    pub fn sequence(&self) -> &[OperationId] {
        &self.sequence
    }

    /// The operations in groups: those of one group touch nothing in common, and may run at the same time once the
    /// groups before have run.
    #[must_use]
    pub fn waves(&self) -> &[Vec<OperationId>] {
        &self.waves
    }

    /// Whether `before` must have run when `after` starts, directly or through others.
    #[must_use]
    pub fn precedes(&self, before: OperationId, after: OperationId) -> bool {
        let node = |id: OperationId| self.graph.node_indices().find(|n| self.graph[*n] == id);
        match (node(before), node(after)) {
            (Some(a), Some(b)) => a != b && petgraph::algo::has_path_connecting(&self.graph, a, b, None),
            _ => false,
        }
    }

    /// The plan as text: the sequence, what each operation touches, and why elements of one run in order.
    #[must_use]
    pub fn to_text(&self, program: &Program) -> String {
        let mut text = String::new();
        for clock in &program.clocks {
            let _ = writeln!(text, "clock {}: dt = {} s, every {} ticks", clock.name, clock.dt, clock.period);
        }
        for remark in &program.remarks {
            let _ = writeln!(text, "{remark}");
        }
        for (k, wave) in self.waves.iter().enumerate() {
            let _ = writeln!(text, "\nwave {k}");
            for id in wave {
                let operation = &program.operations[id.index()];
                let _ = writeln!(
                    text,
                    "  {:<32} {} order {} clock {}",
                    operation.name,
                    program.schedule.shown(operation.placed.when),
                    operation.placed.order,
                    program.clocks[operation.clock.index()].name
                );
                let _ = writeln!(text, "    {}", crate::print::action(program, &operation.action));
                let touched = crate::print::accesses(program, operation);
                if !touched.is_empty() {
                    let _ = writeln!(text, "    touches {touched}");
                }
                if let Some(reason) = crate::print::order_dependence(program, operation) {
                    let _ = writeln!(text, "    one element at a time: {reason}");
                }
            }
        }
        text
    }

    /// The graph in Graphviz's language.
    #[must_use]
    pub fn to_dot(&self, program: &Program) -> String {
        let mut text =
            String::from("digraph step {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
        for node in self.graph.node_indices() {
            let operation = &program.operations[self.graph[node].index()];
            let _ = writeln!(
                text,
                "  n{} [label=\"{}\\n{}\"];",
                node.index(),
                operation.name.replace('"', "\\\""),
                program.schedule.shown(operation.placed.when)
            );
        }
        for edge in self.graph.edge_references() {
            let _ = writeln!(
                text,
                "  n{} -> n{} [label=\"{}\"];",
                edge.source().index(),
                edge.target().index(),
                crate::print::resource(program, *edge.weight()).replace('"', "\\\"")
            );
        }
        text.push_str("}\n");
        text
    }
}

/// An edge from each operation to the next ones that conflict with it; a conflict that already follows from other
/// edges through the same resource gets none.
fn dependencies(program: &Program, sequence: &[OperationId]) -> DiGraph<OperationId, Resource> {
    /// Who touched a resource last, and may not be overtaken.
    #[derive(Default)]
    struct Last {
        writer: Option<NodeIndex>,
        readers: Vec<NodeIndex>,
    }
    let mut graph = DiGraph::new();
    let mut last: BTreeMap<Resource, Last> = BTreeMap::new();
    for id in sequence {
        let node = graph.add_node(*id);
        // One access per resource: the strongest.
        let mut strongest: BTreeMap<Resource, Access> = BTreeMap::new();
        for (resource, access) in program.accesses(&program.operations[id.index()]) {
            let entry = strongest.entry(resource).or_insert(access);
            if commutes(*entry, *entry) {
                *entry = access;
            }
        }
        for (resource, access) in strongest {
            let state = last.entry(resource).or_default();
            if commutes(access, access) {
                if let Some(writer) = state.writer {
                    graph.update_edge(writer, node, resource);
                }
                state.readers.push(node);
                continue;
            }
            if let (true, Some(writer)) = (state.readers.is_empty(), state.writer) {
                graph.update_edge(writer, node, resource);
            }
            for reader in state.readers.drain(..) {
                graph.update_edge(reader, node, resource);
            }
            state.writer = Some(node);
        }
    }
    graph
}

/// Nodes by the length of the longest path that leads to them; edges only ever lead forward in the sequence.
fn waves(graph: &DiGraph<OperationId, Resource>) -> Vec<Vec<OperationId>> {
    let order = toposort(graph, None).unwrap_or_default();
    let mut depth = vec![0_usize; graph.node_count()];
    for node in order {
        for edge in graph.edges(node) {
            let next = edge.target().index();
            depth[next] = depth[next].max(depth[node.index()] + 1);
        }
    }
    let mut waves: Vec<Vec<OperationId>> = Vec::new();
    for node in graph.node_indices() {
        let wave = depth[node.index()];
        if waves.len() <= wave {
            waves.resize(wave + 1, Vec::new());
        }
        waves[wave].push(graph[node]);
    }
    waves
}

//! The printed form of whole networks: everything that a network says, in its order.

use std::fmt;

use super::{DisplayBlock, DisplayExpr};
use crate::{
    Block, Cable, Connect, Counter, Delay, Endpoint, Event, EventSource, Expr, Extent, FixedNumber, Format,
    Group, HostOperation, Initial, Link, LinkPlace, Network, ObjectId, Pathway, Periodic, Placed, Population,
    Projection, Recorder, RecorderKind, Reduce, Refractory, Rewiring, RewiringKind, Schedule, Slot, Sum,
    Table, Variable, VariableKind, When,
};

/// The whole network as text, deterministic.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "network {}", self.name)?;
        if !self.title.is_empty() {
            writeln!(f, "  title {:?}", self.title)?;
        }
        writeln!(f, "  precision {}", self.precision)?;
        writeln!(f, "  seed {}", self.seed)?;
        writeln!(f, "  duration {:?} s", self.duration)?;
        for clock in &self.clocks {
            writeln!(f, "clock {}: dt {:?} s", clock.name, clock.dt)?;
        }
        if self.schedule != Schedule::default() {
            let slots: Vec<&str> = self.schedule.slots().map(|(_, name)| name).collect();
            writeln!(f, "schedule {}", slots.join(", "))?;
        }
        for HostOperation { name, clock, placed } in &self.host_operations {
            let Placed { when, order } = *placed;
            let (clock, when) = (&self.clock(*clock).name, self.schedule.shown(when));
            writeln!(f, "host {name}: clock {clock}, at {when}, order {order}")?;
        }
        for table in &self.tables {
            print_table(f, table)?;
        }
        for (index, population) in self.populations.iter().enumerate() {
            let object = ObjectId::Population(crate::PopulationId::new(index));
            Owner::of(self, object).population(f, population)?;
        }
        for (index, projection) in self.projections.iter().enumerate() {
            let object = ObjectId::Projection(crate::ProjectionId::new(index));
            Owner::of(self, object).projection(f, projection)?;
        }
        for recorder in &self.recorders {
            print_recorder(f, self, recorder)?;
        }
        super::protocol::print(f, self)
    }
}

fn print_table(f: &mut fmt::Formatter<'_>, table: &Table) -> fmt::Result {
    let Table { name, dt, rows, columns, values, dimension } = table;
    writeln!(f, "\ntable {name}: {rows} x {columns}, {dimension}, dt {dt:?} s")?;
    writeln!(f, "  values {}", some_values(values))
}

/// The values if they are few, else the first ones and how many there are.
fn some_values(values: &[f64]) -> String {
    const SHOWN: usize = 8;
    let mut text: Vec<String> = values.iter().take(SHOWN).map(|x| format!("{x:?}")).collect();
    if values.len() > SHOWN {
        text.push(format!("... ({} in all)", values.len()));
    }
    format!("[{}]", text.join(", "))
}

/// An object whose parts are printed.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    network: &'a Network,
    object: ObjectId,
}

impl<'a> Owner<'a> {
    pub(super) fn of(network: &'a Network, object: ObjectId) -> Self {
        Self { network, object }
    }

    fn expr(self, expr: &'a Expr) -> DisplayExpr<'a> {
        self.network.display_expr(self.object, expr, &[])
    }

    fn block(self, block: &'a Block, indent: usize) -> DisplayBlock<'a> {
        DisplayBlock { indent, ..self.network.display_block(self.object, block) }
    }

    fn group(self, group: &Group) -> String {
        display_group(self.network, group)
    }

    fn population(self, f: &mut fmt::Formatter<'_>, population: &'a Population) -> fmt::Result {
        let Population {
            name,
            model,
            size,
            clock,
            variables,
            equations,
            method,
            events,
            refractory,
            cable,
            update,
            periodic,
            counters,
            span: _,
        } = population;
        let clock = &self.network.clock(*clock).name;
        writeln!(f, "\npopulation {name}: {size} of {model}, clock {clock}")?;
        for variable in variables {
            self.variable(f, variable)?;
        }
        for equation in equations {
            let variable = &variables[equation.variable.index()].name;
            writeln!(f, "  d{variable}/dt = {}", self.expr(&equation.rhs))?;
        }
        if !equations.is_empty() {
            writeln!(f, "  method {method}")?;
        }
        self.moved(f, "  update", *update, Placed::at(Slot::Groups))?;
        if let Some(cable) = cable {
            let Cable { morphology, tree, cells, voltage, current, placed, .. } = cable;
            let name = |id: &crate::VariableId| &variables[id.index()].name;
            let (v, im, nodes) = (name(voltage), name(current), tree.nodes.len());
            let when = self.network.schedule.shown(placed.when);
            writeln!(
                f,
                "  cable {v} from {im}: {cells} of morphology {morphology}, {} compartments, {nodes} nodes, {when} order {}",
                tree.compartments, placed.order
            )?;
        }
        match refractory {
            Refractory::Never => {}
            Refractory::Time(time) => {
                writeln!(f, "  refractory for {} s", self.expr(time))?;
            }
            Refractory::While(condition) => {
                writeln!(f, "  refractory while {}", self.expr(condition))?;
            }
        }
        for event in events {
            self.event(f, event)?;
        }
        for counter in counters {
            let Counter { variable, event, window_steps } = counter;
            let (variable, event) = (&variables[variable.index()].name, &events[event.index()].name);
            writeln!(f, "  {variable} counts {event} within {window_steps} steps")?;
        }
        for code in periodic {
            self.periodic(f, code)?;
        }
        Ok(())
    }

    fn periodic(self, f: &mut fmt::Formatter<'_>, periodic: &'a Periodic) -> fmt::Result {
        let Periodic { name, clock, placed: Placed { when, order }, shared, block, neurons, span: _ } =
            periodic;
        let (clock, when) = (&self.network.clock(*clock).name, self.network.schedule.shown(*when));
        write!(f, "  periodic {name}: clock {clock}, at {when}, order {order}")?;
        match neurons {
            Some((start, len)) => writeln!(f, ", neurons {start}:{}", u64::from(*start) + u64::from(*len))?,
            None => writeln!(f)?,
        }
        if !shared.is_empty() {
            write!(f, "    once\n{}", self.block(shared, 6))?;
        }
        write!(f, "{}", self.block(block, 4))
    }

    fn link(self, link: &Link) -> String {
        let Link { object, variable, place } = link;
        let source = self.network.object_name(*object);
        let variable = &self.network.variables(*object)[variable.index()].name;
        let own = self.network.variables(self.object);
        match place {
            LinkPlace::One { element } => format!("{source}.{variable}[{element}]"),
            LinkPlace::Same { start } => format!("{source}.{variable}[{start}:]"),
            LinkPlace::Index { index, start, len: _ } => {
                format!("{source}.{variable}[{start} + {}]", own[index.index()].name)
            }
        }
    }

    fn variable(self, f: &mut fmt::Formatter<'_>, variable: &'a Variable) -> fmt::Result {
        let Variable { name, ty, dimension, extent, kind, initial, unless_refractory, span: _ } = variable;
        if let VariableKind::Subexpression(value) = kind {
            let value = self.expr(value);
            return writeln!(f, "  {name} = {value} : {ty}, {dimension}");
        }
        write!(f, "  {name} : {ty}, {dimension}")?;
        f.write_str(match kind {
            VariableKind::State | VariableKind::Subexpression(_) => ", state",
            VariableKind::Parameter { constant: false } => ", parameter",
            VariableKind::Parameter { constant: true } => ", constant",
            VariableKind::LastSpike => ", last spike",
            VariableKind::NotRefractory => ", not refractory",
            VariableKind::SumTarget => ", sum",
            VariableKind::Held => ", constant over dt",
            VariableKind::Link(_) => ", linked to ",
            VariableKind::Degree(Endpoint::Pre) => ", synapses per presynaptic neuron",
            VariableKind::Degree(Endpoint::Post) => ", synapses per postsynaptic neuron",
            VariableKind::Count => ", number of synapses",
        })?;
        if let VariableKind::Link(link) = kind {
            f.write_str(&self.link(link))?;
        }
        f.write_str(match extent {
            Extent::PerElement => "",
            Extent::Shared => ", shared",
        })?;
        f.write_str(if *unless_refractory { ", unless refractory" } else { "" })?;
        self.initial(f, initial, ", initially ")?;
        writeln!(f)
    }

    /// Where values come from, behind `before`; nothing where they are zero.
    pub(super) fn initial(
        self,
        f: &mut fmt::Formatter<'_>,
        initial: &'a Initial,
        before: &str,
    ) -> fmt::Result {
        match initial {
            Initial::Zero => Ok(()),
            Initial::Expr(value) => write!(f, "{before}{}", self.expr(value)),
            Initial::Column(column) => write!(f, "{before}column `{column}`"),
            Initial::Values(values) => write!(f, "{before}{}", some_values(values)),
        }
    }

    pub(super) fn delay(self, f: &mut fmt::Formatter<'_>, delay: &'a Delay) -> fmt::Result {
        match delay {
            Delay::None => f.write_str("none"),
            Delay::Steps(steps) => write!(f, "{steps} steps"),
            Delay::PerSynapse(value) => write!(f, "{} s", self.expr(value)),
            Delay::Column(column) => write!(f, "column `{column}`"),
            Delay::Values(values) => write!(f, "{} s", some_values(values)),
        }
    }

    /// Where something happens in the step, if that is not its usual place.
    fn moved(self, f: &mut fmt::Formatter<'_>, what: &str, placed: Placed, usual: Placed) -> fmt::Result {
        if placed == usual {
            return Ok(());
        }
        writeln!(f, "{what} at {}, order {}", self.network.schedule.shown(placed.when), placed.order)
    }

    fn event(self, f: &mut fmt::Formatter<'_>, event: &'a Event) -> fmt::Result {
        let (usual, usual_reset) = Event::usual_places(event.name == "spike");
        write!(f, "  event {}: ", event.name)?;
        match &event.source {
            EventSource::Condition(condition) => {
                writeln!(f, "when {}", self.expr(condition))?;
            }
            EventSource::List { steps, neurons, period_steps } => {
                write!(f, "{} listed", steps.len())?;
                for (step, neuron) in steps.iter().zip(neurons).take(8) {
                    write!(f, " {step}:{neuron}")?;
                }
                f.write_str(if steps.len() > 8 { " ..." } else { "" })?;
                if *period_steps > 0 {
                    write!(f, ", again every {period_steps} steps")?;
                }
                writeln!(f)?;
            }
        }
        self.moved(f, "    condition", event.placed, usual)?;
        self.moved(f, "    reset", event.reset_placed, usual_reset)?;
        write!(f, "{}", self.block(&event.reset, 4))
    }

    fn projection(self, f: &mut fmt::Formatter<'_>, projection: &'a Projection) -> fmt::Result {
        let Projection {
            name,
            model,
            source,
            target,
            clock,
            variables,
            equations,
            event_driven,
            last_update: _,
            method,
            update,
            pathways,
            sums,
            periodic,
            connect,
            rewirings,
            format,
            span: _,
        } = projection;
        let (source, target, clock) =
            (self.group(source), self.group(target), &self.network.clock(*clock).name);
        writeln!(f, "\nprojection {name}: {source} to {target}, of {model}, clock {clock}")?;
        self.connect(f, connect)?;
        writeln!(
            f,
            "  format {}",
            match format {
                Format::Auto => "auto",
                Format::Csr => "csr",
                Format::Ell => "ell",
                Format::Dense => "dense",
            }
        )?;
        for variable in variables {
            self.variable(f, variable)?;
        }
        for equation in equations {
            writeln!(
                f,
                "  d{}/dt = {}",
                variables[equation.variable.index()].name,
                self.expr(&equation.rhs)
            )?;
        }
        if !equations.is_empty() {
            writeln!(f, "  method {method}")?;
        }
        self.moved(f, "  update", *update, Placed::at(Slot::Groups))?;
        for equation in event_driven {
            let variable = &variables[equation.variable.index()].name;
            writeln!(f, "  d{variable}/dt = {} (event-driven)", self.expr(&equation.rhs))?;
        }
        for pathway in pathways {
            self.pathway(f, projection, pathway)?;
        }
        for sum in sums {
            self.sum(f, sum)?;
        }
        for code in periodic {
            self.periodic(f, code)?;
        }
        for rule in rewirings {
            self.rewiring(f, projection, rule)?;
        }
        Ok(())
    }

    fn rewiring(
        self,
        f: &mut fmt::Formatter<'_>,
        projection: &Projection,
        rule: &'a Rewiring,
    ) -> fmt::Result {
        let Rewiring { kind, condition, probability, site: _, clock, placed, span: _ } = rule;
        f.write_str(match kind {
            RewiringKind::Prune => "  prune every synapse",
            RewiringKind::Create { .. } => "  create every pair",
        })?;
        if let Some(condition) = condition {
            write!(f, " where {}", self.expr(condition))?;
        }
        if let Some(probability) = probability {
            write!(f, " with probability {}", self.expr(probability))?;
        }
        if let RewiringKind::Create { self_connections, multapses, .. } = kind {
            f.write_str(if *self_connections { "" } else { ", no self-connections" })?;
            f.write_str(if *multapses { "" } else { ", no multapses" })?;
        }
        writeln!(f, ", clock {}", self.network.clock(*clock).name)?;
        self.moved(f, "   ", *placed, Rewiring::USUAL_PLACE)?;
        let RewiringKind::Create { initial, .. } = kind else { return Ok(()) };
        for (variable, value) in initial {
            let name = &projection.variables[variable.index()].name;
            match value {
                Initial::Zero => {}
                Initial::Expr(value) => writeln!(f, "    {name} = {}", self.expr(value))?,
                Initial::Column(column) => writeln!(f, "    {name} = column `{column}`")?,
                Initial::Values(values) => writeln!(f, "    {name} = {}", some_values(values))?,
            }
        }
        Ok(())
    }

    pub(super) fn connect(self, f: &mut fmt::Formatter<'_>, connect: &'a Connect) -> fmt::Result {
        let loops = |allowed: bool| if allowed { "" } else { ", no self-connections" };
        let number = |what: &str, n: &FixedNumber| {
            let multapses = if n.multapses { "" } else { ", no multapses" };
            format!("{what} {}{}{multapses}", n.n, loops(n.self_connections))
        };
        f.write_str("  connect ")?;
        match connect {
            Connect::AllToAll { self_connections } => writeln!(f, "all to all{}", loops(*self_connections)),
            Connect::OneToOne => writeln!(f, "one to one"),
            Connect::FixedProbability { p, self_connections } => {
                writeln!(f, "with probability {p:?}{}", loops(*self_connections))
            }
            Connect::FixedInDegree(n) => writeln!(f, "{}", number("in-degree", n)),
            Connect::FixedOutDegree(n) => writeln!(f, "{}", number("out-degree", n)),
            Connect::FixedTotalNumber(n) => writeln!(f, "{}", number("total number", n)),
            Connect::Condition { condition, probability, repeat } => {
                f.write_str("every pair")?;
                if let Some(condition) = condition {
                    write!(f, " where {}", self.expr(condition))?;
                }
                if let Some(probability) = probability {
                    write!(f, " with probability {}", self.expr(probability))?;
                }
                writeln!(f, ", {repeat} per pair")
            }
            Connect::Pairs(pairs) => {
                write!(f, "{} pairs", pairs.len())?;
                for (source, target) in pairs.iter().take(8) {
                    write!(f, " {source}:{target}")?;
                }
                writeln!(f, "{}", if pairs.len() > 8 { " ..." } else { "" })
            }
            Connect::File(path) => writeln!(f, "as in the file {:?}", path.display().to_string()),
            Connect::Windows(grid) => {
                let [rows, columns] = grid.extent;
                let what = if grid.mixes_channels { "filters" } else { "windows" };
                writeln!(
                    f,
                    "{what} of {rows} by {columns}, {:?} to {:?}, stride {:?}, padding {:?}",
                    grid.input, grid.output, grid.stride, grid.padding
                )
            }
            Connect::Copy(id) => writeln!(f, "as {}", self.network.projection(*id).name),
            Connect::Transpose(id) => writeln!(f, "as {}, transposed", self.network.projection(*id).name),
        }
    }

    fn pathway(
        self,
        f: &mut fmt::Formatter<'_>,
        projection: &Projection,
        pathway: &'a Pathway,
    ) -> fmt::Result {
        let Pathway { name, on, event, block, placed: Placed { when, order }, delay, span: _ } = pathway;
        let (side, population) = match on {
            Endpoint::Pre => ("presynaptic", projection.source.population()),
            Endpoint::Post => ("postsynaptic", projection.target.population()),
        };
        let event = population.map_or("event", |id| &self.network.population(id).events[event.index()].name);
        write!(f, "  pathway {name}: on {side} {event}, ")?;
        if *when != When::at(Slot::Synapses) {
            write!(f, "at {}, ", self.network.schedule.shown(*when))?;
        }
        write!(f, "order {order}, delay ")?;
        self.delay(f, delay)?;
        writeln!(f)?;
        write!(f, "{}", self.block(block, 4))
    }

    fn sum(self, f: &mut fmt::Formatter<'_>, sum: &'a Sum) -> fmt::Result {
        let Sum { target, value, reduce, delay, placed } = sum;
        let reduce = match reduce {
            Reduce::Sum => "sum",
            Reduce::Mean => "mean",
            Reduce::Max => "max",
            Reduce::Min => "min",
        };
        let target = self.network.display_variable(self.object, *target);
        write!(f, "  {target} = {reduce} over synapses of {}", self.expr(value))?;
        match delay {
            Delay::None => writeln!(f),
            Delay::Steps(steps) => writeln!(f, ", {steps} steps ago"),
            Delay::PerSynapse(value) => writeln!(f, ", {} s ago", self.expr(value)),
            Delay::Column(column) => writeln!(f, ", column `{column}` ago"),
            Delay::Values(values) => writeln!(f, ", {} s ago", some_values(values)),
        }?;
        self.moved(f, "   ", *placed, Sum::USUAL_PLACE)
    }
}

pub(super) fn display_group(network: &Network, group: &Group) -> String {
    let Some(population) = group.population().map(|id| network.population(id)) else {
        return format!("the synapses of {}", network.object_name(group.object));
    };
    if group.start == 0 && group.len == population.size {
        population.name.clone()
    } else {
        format!("{}[{}:{}]", population.name, group.start, u64::from(group.start) + u64::from(group.len))
    }
}

fn print_recorder(f: &mut fmt::Formatter<'_>, network: &Network, recorder: &Recorder) -> fmt::Result {
    let Recorder { name, kind, clock, placed: Placed { when, order } } = recorder;
    let when = network.schedule.shown(*when);
    let events = |group: &Group, event: &crate::EventId| {
        let population = group.population().map(|id| network.population(id));
        let event = population.map_or("event", |p| &p.events[event.index()].name);
        format!("{event} of {}", display_group(network, group))
    };
    write!(f, "\nrecorder {name}: ")?;
    match kind {
        RecorderKind::Events { group, event } => write!(f, "events {}", events(group, event))?,
        RecorderKind::Rate { group, event } => write!(f, "rate {}", events(group, event))?,
        RecorderKind::State { object, variables, elements } => {
            let all = network.variables(*object);
            let names: Vec<&str> = variables.iter().map(|v| all[v.index()].name.as_str()).collect();
            let count = elements.len();
            let numbers: Vec<String> = elements.iter().take(8).map(u32::to_string).collect();
            let more = if count > 8 { format!(", ... ({count} in all)") } else { String::new() };
            let object = network.object_name(*object);
            write!(f, "{} of {object}[{}{more}]", names.join(", "), numbers.join(", "))?;
        }
    }
    writeln!(f, "; clock {}, at {when}, order {order}", network.clock(*clock).name)
}

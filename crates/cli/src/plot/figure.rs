//! Arranges a recording on paper: panels above each other over one axis of time.

use super::axis::{Scale, Ticks, number, short};
use super::canvas::{Anchor, Color, Drawing, Fonts, Mark, Text};
use super::raster::{self, Band};
use super::rate::{self, Rates};
use super::{PlotData, TraceData};

const WIDTH: f64 = 900.0;
const LEFT: f64 = 76.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 50.0;
const GAP: f64 = 18.0;
const RASTER_HEIGHT: f64 = 330.0;
const RATE_HEIGHT: f64 = 120.0;
const TRACE_HEIGHT: f64 = 110.0;

/// Lines of one panel and panels of one figure beyond which nothing more can be told apart.
const MAX_LINES: usize = 5;
const MAX_PANELS: usize = 8;
/// Entries of a legend.
const MAX_LEGEND: usize = 12;

const TITLE: f64 = 15.0;
const LABEL: f64 = 12.0;
const SMALL: f64 = 10.5;
/// Distance between two lines of a legend.
const LINE: f64 = 14.5;

const INK: Color = (38, 38, 38);
const GREY: Color = (110, 110, 110);
const GRID: Color = (228, 228, 228);

/// Colours that people with any colour vision tell apart (Okabe & Ito 2008), the strongest first.
const POPULATIONS: [Color; 7] =
    [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233), (0, 0, 0)];
/// The same for single elements, whose colours are not those of the first populations.
const ELEMENTS: [Color; MAX_LINES] =
    [(38, 38, 38), (230, 159, 0), (86, 180, 233), (204, 121, 167), (0, 158, 115)];

/// What is written at the right of a panel.
#[derive(Clone, Debug)]
struct Entry {
    text: String,
    color: Color,
    bold: bool,
}

/// A figure in the making.
struct Page<'a> {
    fonts: &'a Fonts,
    marks: Vec<Mark>,
    right: f64,
    /// Seconds at the right edge.
    t_max: f64,
    time: Scale,
    time_ticks: Ticks,
}

/// A panel's place between two heights, and its values.
#[derive(Clone, Copy)]
struct Panel {
    top: f64,
    bottom: f64,
    low: f64,
    high: f64,
}

/// Draws everything that a recording has.
pub(super) fn draw(data: &PlotData, fonts: &Fonts) -> Drawing {
    let t_max = end(data);
    let rates = rate::rates(&data.populations, t_max);
    let has_raster = data.populations.iter().any(|p| p.spikes.is_some() && p.n > 0);
    let has_rates = rates.hz.iter().any(|hz| !hz.is_empty());
    let (traces, left_out) = data.traces.split_at(data.traces.len().min(MAX_PANELS));

    let raster_bottom = TOP + raster_height(data);
    let (bands, stride) = raster::arrange(&data.populations, TOP, raster_bottom);
    let rate_legend = rate_legend(data, &rates);
    let trace_legends: Vec<Vec<Entry>> = traces.iter().map(trace_legend).collect();
    let band_texts = bands.iter().map(|band| band_text(data, band, false));
    let texts = trace_legends.iter().flatten().chain(&rate_legend).cloned().chain(band_texts);
    let width = texts.map(|e| fonts.width(&e.text, SMALL, e.bold)).fold(0.0, f64::max);

    let right = WIDTH - 20.0 - width.clamp(0.0, 200.0);
    let time = Scale::time(t_max);
    let time_ticks = Ticks::new(0.0, t_max / time.divisor, ((right - LEFT) / 90.0) as usize);
    let mut page = Page { fonts, marks: Vec::new(), right, t_max, time, time_ticks };
    page.title(data);

    let mut bottom = TOP - GAP;
    if has_raster {
        page.raster(data, &bands, stride, raster_bottom);
        bottom = raster_bottom;
    }
    if has_rates {
        let top = bottom + GAP;
        bottom = top + RATE_HEIGHT;
        page.rates(&rates, top, bottom);
        page.legend(&rate_legend, top);
    }
    for (trace, legend) in traces.iter().zip(&trace_legends) {
        let top = bottom + GAP;
        bottom = top + TRACE_HEIGHT;
        page.trace(trace, top, bottom);
        page.legend(legend, top);
    }
    if bottom < TOP {
        bottom = TOP + RATE_HEIGHT;
        let middle = f64::midpoint(LEFT, page.right);
        page.text(middle, TOP + RATE_HEIGHT / 2.0, "nothing was recorded", GREY, Anchor::Middle);
        page.spines(TOP, bottom);
    }
    page.time_axis(bottom);
    let mut height = bottom + BOTTOM;
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(|t| format!("{} of {}", t.variable, t.object)).collect();
        let text = page.fit(&format!("recorded, not drawn: {}", names.join(", ")), WIDTH - LEFT - 20.0);
        page.text(LEFT, height, &text, GREY, Anchor::Start);
        height += 20.0;
    }
    Drawing { width: WIDTH, height, marks: page.marks }
}

/// The end of the axis of time: the duration, or what there are data for.
fn end(data: &PlotData) -> f64 {
    let usable = |t: f64| t.is_finite() && t > 0.0;
    if usable(data.duration_s) {
        return data.duration_s;
    }
    let spikes = data.populations.iter().filter_map(|p| p.spikes.as_ref()).flat_map(|s| &s.t_s);
    let rows = data.traces.iter().flat_map(|trace| &trace.t_s);
    let last = spikes.chain(rows).copied().filter(|t| usable(*t)).fold(0.0, f64::max);
    if last > 0.0 { last } else { 1e-3 }
}

/// Few neurons need little height.
fn raster_height(data: &PlotData) -> f64 {
    let recorded = data.populations.iter().filter(|p| p.spikes.is_some());
    let (rows, bands) = recorded.fold((0.0, 0.0), |(rows, bands), p| (rows + f64::from(p.n), bands + 1.0));
    (14.0 * rows + 16.0 * bands + 30.0).min(RASTER_HEIGHT)
}

fn population_color(k: usize) -> Color {
    POPULATIONS.get(k % POPULATIONS.len()).copied().unwrap_or(INK)
}

/// The name of a band, in one line with its size or on its own.
fn band_text(data: &PlotData, band: &Band, alone: bool) -> Entry {
    let (name, n) = data.populations.get(band.population).map_or(("", 0), |p| (p.name.as_str(), p.n));
    let text = if alone { name.to_owned() } else { format!("{name} ({n})") };
    Entry { text, color: population_color(band.population), bold: true }
}

fn rate_legend(data: &PlotData, rates: &Rates) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (k, (population, mean)) in data.populations.iter().zip(&rates.mean_hz).enumerate() {
        if let Some(mean) = mean {
            let text = format!("{}: {} Hz", population.name, short(*mean));
            entries.push(Entry { text, color: population_color(k), bold: true });
        }
    }
    shorten(&mut entries, 6);
    if !entries.is_empty() {
        let used = rates.sigma_s.iter().zip(&rates.hz).filter(|(_, hz)| !hz.is_empty());
        let (low, high) =
            used.fold((f64::INFINITY, 0.0f64), |(low, high), (sigma, _)| (low.min(*sigma), high.max(*sigma)));
        let (low, high) = (short(low * 1e3), short(high * 1e3));
        let range = if low == high { low } else { format!("{low}\u{2013}{high}") };
        let text = format!("smoothed, \u{3c3} = {range} ms");
        entries.push(Entry { text, color: GREY, bold: false });
    }
    entries
}

fn trace_legend(trace: &TraceData) -> Vec<Entry> {
    let lines = trace.lines.iter().zip(ELEMENTS);
    let mut entries: Vec<Entry> =
        lines.map(|(line, color)| Entry { text: line.label.clone(), color, bold: true }).collect();
    let more = trace.n_recorded.max(trace.lines.len()) - entries.len();
    if more > 0 {
        entries.push(Entry { text: format!("and {more} more"), color: GREY, bold: false });
    }
    entries
}

/// Keeps the first `most` entries and says how many are left out.
fn shorten(entries: &mut Vec<Entry>, most: usize) {
    if entries.len() > most {
        let more = entries.len() - (most - 1);
        entries.truncate(most - 1);
        entries.push(Entry { text: format!("and {more} more"), color: GREY, bold: false });
    }
}

impl Panel {
    fn y(&self, value: f64) -> f64 {
        self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)
    }
}

impl Page<'_> {
    fn x(&self, t_s: f64) -> f64 {
        LEFT + t_s / self.t_max * (self.right - LEFT)
    }

    fn line(&mut self, points: Vec<(f64, f64)>, color: Color, width: f64) {
        self.marks.push(Mark::Line { points, color, width });
    }

    fn text(&mut self, x: f64, y: f64, text: &str, color: Color, anchor: Anchor) {
        let (text, size) = (text.to_owned(), SMALL);
        self.marks.push(Mark::Text(Text { x, y, text, size, color, anchor, bold: false, upright: false }));
    }

    /// Cuts a text that is too wide.
    fn fit(&self, text: &str, width: f64) -> String {
        if self.fonts.width(text, SMALL, true) <= width {
            return text.to_owned();
        }
        let mut cut = String::new();
        for letter in text.chars() {
            cut.push(letter);
            if self.fonts.width(&cut, SMALL, true) > width - SMALL {
                cut.pop();
                break;
            }
        }
        cut.push('\u{2026}');
        cut
    }

    fn title(&mut self, data: &PlotData) {
        // The model's name gives way to the rest of the line.
        let model = self.fit(&data.model, 420.0 * SMALL / TITLE);
        let neurons = match data.n_neurons {
            0 => String::new(),
            1 => "1 neuron".to_owned(),
            n => format!("{n} neurons"),
        };
        let duration = match data.duration_s {
            t if !t.is_finite() => String::new(),
            t if t >= 1.0 => format!("{} s", short(t)),
            t => format!("{} ms", short(t * 1e3)),
        };
        let mut facts = vec![neurons, duration, format!("seed {}", data.seed)];
        facts.retain(|fact| !fact.is_empty());
        let y = TOP / 2.0;
        let width = self.fonts.width(&model, TITLE, true);
        let bold = Text {
            x: LEFT,
            y,
            text: model,
            size: TITLE,
            color: INK,
            anchor: Anchor::Start,
            bold: true,
            upright: false,
        };
        let plain = Text {
            x: LEFT + width + 14.0,
            text: facts.join(" \u{b7} "),
            size: LABEL,
            color: GREY,
            bold: false,
            ..bold.clone()
        };
        self.marks.extend([Mark::Text(bold), Mark::Text(plain)]);
    }

    /// Lines of the grid at the ticks of time.
    fn time_grid(&mut self, top: f64, bottom: f64) {
        for tick in self.time_ticks.at.clone() {
            let x = self.x(tick * self.time.divisor);
            self.line(vec![(x, top), (x, bottom)], GRID, 0.75);
        }
    }

    fn spines(&mut self, top: f64, bottom: f64) {
        self.line(vec![(LEFT, top), (LEFT, bottom), (self.right, bottom)], INK, 0.9);
        for tick in self.time_ticks.at.clone() {
            let x = self.x(tick * self.time.divisor);
            self.line(vec![(x, bottom), (x, bottom + 4.0)], INK, 0.9);
        }
    }

    fn time_axis(&mut self, bottom: f64) {
        let ticks = self.time_ticks.clone();
        for tick in &ticks.at {
            let x = self.x(tick * self.time.divisor);
            self.text(x, bottom + 13.0, &ticks.text(*tick), INK, Anchor::Middle);
        }
        self.marks.push(Mark::Text(Text {
            x: f64::midpoint(LEFT, self.right),
            y: bottom + 33.0,
            text: self.time.label("time"),
            size: LABEL,
            color: INK,
            anchor: Anchor::Middle,
            bold: false,
            upright: false,
        }));
    }

    /// The label of a vertical axis, reading upwards.
    fn label(&mut self, text: &str, top: f64, bottom: f64) {
        let text = self.fit(text, (bottom - top + GAP) * SMALL / LABEL);
        self.marks.push(Mark::Text(Text {
            x: 17.0,
            y: f64::midpoint(top, bottom),
            text,
            size: LABEL,
            color: INK,
            anchor: Anchor::Middle,
            bold: false,
            upright: true,
        }));
    }

    fn y_tick(&mut self, y: f64, text: &str) {
        self.line(vec![(LEFT - 4.0, y), (LEFT, y)], INK, 0.9);
        self.text(LEFT - 8.0, y, text, INK, Anchor::End);
    }

    /// Grid, spines, ticks and label of a panel with values.
    fn axes(&mut self, panel: &Panel, label: &str, divisor: f64) {
        let wanted = ((panel.bottom - panel.top) / 28.0) as usize;
        let ticks = Ticks::new(panel.low / divisor, panel.high / divisor, wanted);
        for tick in &ticks.at {
            let y = panel.y(tick * divisor);
            self.line(vec![(LEFT, y), (self.right, y)], GRID, 0.75);
        }
        self.time_grid(panel.top, panel.bottom);
        self.spines(panel.top, panel.bottom);
        for tick in &ticks.at {
            self.y_tick(panel.y(tick * divisor), &ticks.text(*tick));
        }
        self.label(label, panel.top, panel.bottom);
    }

    fn legend(&mut self, entries: &[Entry], top: f64) {
        let mut y = top + 6.0;
        for entry in entries.iter().take(MAX_LEGEND) {
            self.entry(entry, y);
            y += LINE;
        }
    }

    fn entry(&mut self, entry: &Entry, y: f64) {
        let x = self.right + 10.0;
        let text = self.fit(&entry.text, WIDTH - x - 6.0);
        let Entry { color, bold, .. } = *entry;
        let anchor = Anchor::Start;
        self.marks.push(Mark::Text(Text { x, y, text, size: SMALL, color, anchor, bold, upright: false }));
    }

    fn raster(&mut self, data: &PlotData, bands: &[Band], stride: usize, bottom: f64) {
        self.time_grid(TOP, bottom);
        for band in bands.iter().skip(1) {
            self.line(vec![(LEFT, band.bottom), (self.right, band.bottom)], GRID, 0.75);
        }
        self.spines(TOP, bottom);
        for band in bands {
            self.dots(data, band, stride);
        }
        self.band_ticks(data, bands);
        self.band_names(data, bands);
        self.label(&raster_label(bands, stride), TOP, bottom);
    }

    fn dots(&mut self, data: &PlotData, band: &Band, stride: usize) {
        let points: Vec<(f64, f64)> = raster::dots(band, &data.populations, stride)
            .filter(|(t, _)| (0.0..=self.t_max).contains(t))
            .map(|(t, y)| (self.x(t), y))
            .collect();
        if points.is_empty() {
            return;
        }
        // Single neurons are rows of strokes; crowds are clouds of dots, finer where they are dense.
        let row = band.row();
        let area = (self.right - LEFT) * (band.bottom - band.top);
        let crowd = (0.35 * area / points.len() as f64).sqrt();
        let size = if row > 6.0 {
            (1.1, (0.72 * row).min(14.0))
        } else {
            let dot = (1.3 * row).clamp(1.25, 2.5).min(crowd).max(0.75);
            (dot, dot)
        };
        self.marks.push(Mark::Dots { points, size, color: population_color(band.population) });
    }

    /// Numbers of neurons, for each population its own.
    fn band_ticks(&mut self, data: &PlotData, bands: &[Band]) {
        for band in bands {
            let Some(population) = data.populations.get(band.population) else { continue };
            let height = band.bottom - band.top;
            let (first, n) = (f64::from(population.first), f64::from(population.n));
            if height < 40.0 {
                continue;
            }
            let most = if population.n <= 12 { population.n as usize } else { 12 };
            let ticks =
                Ticks::new(first, first + n - 1.0, ((height / 42.0) as usize).clamp(2.min(most), most));
            let at = if ticks.at.is_empty() { vec![first] } else { ticks.at };
            for tick in &at {
                let y = band.y(*tick);
                // The number at an upper edge would meet the first number of the band above.
                let whole = (tick - tick.round()).abs() < 1e-6;
                if whole && (y > band.top + 9.0 || population.n == 1) {
                    self.y_tick(y, &number(*tick, 0));
                }
            }
        }
    }

    /// The names of the populations beside their bands, moved apart where bands are low.
    fn band_names(&mut self, data: &PlotData, bands: &[Band]) {
        let room = bands.first().map_or(0.0, |b| b.bottom) - TOP;
        let most = ((room / LINE) as usize).max(1);
        let named = bands.get(..most.min(bands.len())).unwrap_or_default();
        let mut at: Vec<f64> = named.iter().map(|band| f64::midpoint(band.top, band.bottom)).collect();
        let mut ceiling = TOP;
        for y in at.iter_mut().rev() {
            *y = y.max(ceiling + LINE / 2.0);
            ceiling = *y + LINE / 2.0;
        }
        let mut floor = TOP + room;
        for y in &mut at {
            *y = y.min(floor - LINE / 2.0);
            floor = *y - LINE / 2.0;
        }
        for (band, y) in named.iter().zip(at) {
            let n = data.populations.get(band.population).map_or(0, |p| p.n);
            if band.bottom - band.top < 3.0 * LINE {
                self.entry(&band_text(data, band, false), y);
            } else {
                self.entry(&band_text(data, band, true), y - LINE / 2.0);
                let size = Entry { text: format!("n = {n}"), color: GREY, bold: false };
                self.entry(&size, y + LINE / 2.0);
            }
        }
    }

    fn rates(&mut self, rates: &Rates, top: f64, bottom: f64) {
        let highest = rates.hz.iter().flatten().copied().fold(0.0, f64::max);
        let high = if highest > 0.0 { 1.08 * highest } else { 1.0 };
        let panel = Panel { top, bottom, low: 0.0, high };
        self.axes(&panel, "rate (Hz)", 1.0);
        for (k, hz) in rates.hz.iter().enumerate() {
            let points = hz
                .iter()
                .enumerate()
                .map(|(bin, hz)| {
                    let middle = ((bin as f64 + 0.5) * rates.bin_s).min(self.t_max);
                    (self.x(middle), panel.y(*hz))
                })
                .collect();
            self.line(points, population_color(k), 1.2);
        }
    }

    fn trace(&mut self, trace: &TraceData, top: f64, bottom: f64) {
        let drawn = trace.lines.get(..trace.lines.len().min(MAX_LINES)).unwrap_or_default();
        let values = drawn.iter().flat_map(|line| &line.values).copied().filter(|x| x.is_finite());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        let scale = Scale::new(&trace.unit, if low <= high { low.abs().max(high.abs()) } else { 0.0 });
        let (low, high) = widen(low, high, scale.divisor);
        let panel = Panel { top, bottom, low, high };
        self.axes(&panel, &scale.label(&trace.variable), scale.divisor);
        // Later lines are drawn first: the first one is the example that is looked at.
        for (line, color) in drawn.iter().zip(ELEMENTS).rev() {
            let points = trace.t_s.iter().zip(&line.values);
            let points =
                points.filter(|(t, _)| (0.0..=self.t_max).contains(*t)).map(|(t, v)| (self.x(*t), *v));
            for piece in thin(points) {
                let points = piece.into_iter().map(|(x, v)| (x, panel.y(v))).collect();
                self.line(points, color, 1.1);
            }
        }
    }
}

/// A range with a margin, also around a single value or none.
fn widen(low: f64, high: f64, unit: f64) -> (f64, f64) {
    if low > high {
        return (0.0, unit);
    }
    let span = high - low;
    if span > 1e-9 * low.abs().max(high.abs()) && span.is_finite() {
        return (low - 0.06 * span, high + 0.06 * span);
    }
    let around = if low == 0.0 { unit } else { 0.1 * low.abs() };
    (low - around, high + around)
}

/// Reduces a line to what can be seen: in each half point of width the first, least, greatest and last value.
/// Values that are not finite cut the line into pieces.
fn thin(points: impl Iterator<Item = (f64, f64)>) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = Vec::new();
    let mut piece: Vec<(f64, f64)> = Vec::new();
    let mut column: Vec<(f64, f64)> = Vec::new();
    for (x, value) in points {
        if !value.is_finite() {
            flush(&mut piece, &mut column);
            pieces.push(std::mem::take(&mut piece));
            continue;
        }
        if column.first().is_some_and(|(first, _)| x - first >= 0.5) {
            flush(&mut piece, &mut column);
        }
        column.push((x, value));
    }
    flush(&mut piece, &mut column);
    pieces.push(piece);
    pieces.retain(|piece| piece.len() > 1);
    pieces
}

/// Moves the outline of a column to the piece.
fn flush(piece: &mut Vec<(f64, f64)>, column: &mut Vec<(f64, f64)>) {
    let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
    if column.len() <= 4 {
        piece.append(column);
        return;
    }
    let outline = [
        column.first().copied(),
        column.iter().min_by(by_value).copied(),
        column.iter().max_by(by_value).copied(),
        column.last().copied(),
    ];
    let mut outline: Vec<(f64, f64)> = outline.into_iter().flatten().collect();
    outline.sort_by(|a, b| a.0.total_cmp(&b.0));
    outline.dedup();
    piece.append(&mut outline);
    column.clear();
}

/// Says what part of the neurons is shown.
fn raster_label(bands: &[Band], stride: usize) -> String {
    let every: Vec<u32> = bands.iter().map(|band| band.every).collect();
    let neurons = match every.as_slice() {
        all if all.iter().all(|e| *e == 1) => String::new(),
        [first, rest @ ..] if rest.iter().all(|e| e == first) => format!("1 in {first} shown"),
        all => {
            let most = all.iter().max().copied().unwrap_or(1);
            format!("1 in {most} shown, more of small populations")
        }
    };
    let spikes = if stride > 1 { format!("1 in {stride} spikes shown") } else { String::new() };
    let notes: Vec<String> = [neurons, spikes].into_iter().filter(|note| !note.is_empty()).collect();
    if notes.is_empty() { "neuron".to_owned() } else { format!("neuron ({})", notes.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_extremes_and_stops_at_holes() {
        let dense = (0..1000).map(|k| (f64::from(k) * 0.01, if k == 333 { 9.0 } else { f64::from(k % 7) }));
        let pieces = thin(dense);
        assert_eq!(pieces.len(), 1);
        assert!(pieces[0].len() < 100 && pieces[0].iter().any(|(_, v)| *v == 9.0));
        assert!(pieces[0].windows(2).all(|pair| pair[0].0 <= pair[1].0));
        let holes = [1.0, 2.0, f64::NAN, 3.0, f64::INFINITY, 4.0, 5.0];
        let pieces = thin(holes.into_iter().enumerate().map(|(k, v)| (k as f64, v)));
        assert_eq!(pieces, [vec![(0.0, 1.0), (1.0, 2.0)], vec![(5.0, 4.0), (6.0, 5.0)]]);
    }

    #[test]
    fn ranges_have_a_margin_and_are_never_empty() {
        for (low, high) in
            [(0.0, 1.0), (5.0, 5.0), (0.0, 0.0), (f64::INFINITY, f64::NEG_INFINITY), (-1e300, 1e300)]
        {
            let (low, high) = widen(low, high, 1e-3);
            assert!(low < high, "{low} {high}");
        }
    }
}

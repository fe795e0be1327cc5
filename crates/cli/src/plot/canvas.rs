//! A drawing as a list of marks, and its way to SVG text and PNG bytes.
//!
//! Coordinates are in points, x to the right and y downwards. Both outputs are drawn by plotters at
//! [`FINE`] units per point: an SVG then has quarter points, and a PNG is averaged down to [`PNG_SCALE`] pixels per
//! point, which smooths every edge. Letters of a PNG are placed here, because plotters leaves out the
//! bearing of each glyph and their spacing becomes uneven; dots of an SVG are one path per population, because a
//! hundred thousand circles make a file that no viewer opens.

use std::fmt::Write as _;

use ab_glyph::{Font, FontRef, Point, PxScale, ScaleFont};
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    FontDesc, FontFamily, FontStyle, FontTransform, RGBAColor, RGBColor, ShapeStyle, TextStyle,
};

use super::PlotError;

/// Units per point while drawing.
const FINE: u32 = 4;
/// Pixels per point of a finished PNG.
const PNG_SCALE: u32 = 2;
/// Height of a capital letter in ems (Noto Sans: 714 of 1000 units).
const CAP_HEIGHT: f64 = 0.714;
/// Height of an `x` in ems (Noto Sans: 536 of 1000 units).
const X_HEIGHT: f64 = 0.536;

/// Red, green, blue.
pub(super) type Color = (u8, u8, u8);

/// Which end of a text is at its position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text. `y` is the middle of its capital letters.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Text {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) text: String,
    /// Points per em.
    pub(super) size: f64,
    pub(super) color: Color,
    pub(super) anchor: Anchor,
    pub(super) bold: bool,
    /// Reads from bottom to top, turned around its position.
    pub(super) upright: bool,
}

/// One thing that is drawn; later marks cover earlier ones, but dots of an SVG cover everything.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Mark {
    Line {
        points: Vec<(f64, f64)>,
        color: Color,
        width: f64,
    },
    /// Equal rectangles, `size` wide and high, around each point.
    Dots {
        points: Vec<(f64, f64)>,
        size: (f64, f64),
        color: Color,
    },
    Text(Text),
}

/// A figure ready for output.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Drawing {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) marks: Vec<Mark>,
}

/// The two faces of the figure's font.
pub(super) struct Fonts {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

impl Fonts {
    pub(super) fn load() -> Result<Self, PlotError> {
        let face = |bytes| FontRef::try_from_slice(bytes).map_err(|e| PlotError::Draw(e.to_string()));
        Ok(Self { regular: face(notosans::REGULAR_TTF)?, bold: face(notosans::BOLD_TTF)? })
    }

    fn face(&self, bold: bool) -> &FontRef<'static> {
        if bold { &self.bold } else { &self.regular }
    }

    /// Width of a text in points.
    pub(super) fn width(&self, text: &str, size: f64, bold: bool) -> f64 {
        self.place(text, size, bold).1
    }

    /// The pen position of every letter, and where the pen is in the end.
    fn place(&self, text: &str, size: f64, bold: bool) -> (Vec<(char, f64)>, f64) {
        let font = self.face(bold).as_scaled(self.scale(size, bold));
        let mut pen = 0.0;
        let mut letters = Vec::new();
        let mut previous = None;
        for letter in text.chars() {
            let glyph = font.glyph_id(letter);
            if let Some(previous) = previous {
                pen += f64::from(font.kern(previous, glyph));
            }
            letters.push((letter, pen));
            pen += f64::from(font.h_advance(glyph));
            previous = Some(glyph);
        }
        (letters, pen)
    }

    /// ab_glyph counts in line heights, everybody else in ems.
    fn scale(&self, size: f64, bold: bool) -> PxScale {
        let font = self.face(bold);
        let line = font.height_unscaled() / font.units_per_em().unwrap_or(1000.0);
        PxScale::from(size as f32 * line)
    }

    /// Calls `pixel(x, y, coverage)` for all pixels of a text whose first letter's baseline starts at (0, 0).
    fn rasterize(&self, text: &str, size: f64, bold: bool, mut pixel: impl FnMut(i32, i32, f64)) {
        let scale = self.scale(size, bold);
        let font = self.face(bold);
        for (letter, x) in self.place(text, size, bold).0 {
            let glyph = font.glyph_id(letter).with_scale_and_position(scale, Point { x: x as f32, y: 0.0 });
            if let Some(outline) = font.outline_glyph(glyph) {
                let (left, top) = (outline.px_bounds().min.x as i32, outline.px_bounds().min.y as i32);
                outline.draw(|x, y, c| pixel(left + x as i32, top + y as i32, f64::from(c.clamp(0.0, 1.0))));
            }
        }
    }
}

impl Drawing {
    /// The figure as an SVG document.
    pub(super) fn to_svg(&self) -> Result<String, PlotError> {
        let (width, height) = (fine(self.width) as u32, fine(self.height) as u32);
        let mut svg = String::new();
        {
            let mut backend = SVGBackend::with_string(&mut svg, (width, height));
            draw(&mut backend, |b| b.draw_rect((0, 0), (width as i32, height as i32), &style(WHITE), true))?;
            for mark in &self.marks {
                match mark {
                    Mark::Line { points, color, width } => {
                        let style = style(*color).stroke_width(stroke(*width));
                        draw(&mut backend, |b| b.draw_path(points.iter().map(|p| fine_point(*p)), &style))?;
                    }
                    Mark::Text(text) => svg_text(&mut backend, text)?,
                    Mark::Dots { .. } => {}
                }
            }
            draw(&mut backend, DrawingBackend::present)?;
        }
        let dots: String = self.marks.iter().filter_map(svg_dots).collect();
        let svg = match svg.rfind("</svg>") {
            Some(end) => format!("{}{dots}{}", &svg[..end], &svg[end..]),
            None => return Err(PlotError::Draw("the SVG has no end".to_owned())),
        };
        // The page is measured in points; the view box stays fine.
        let fine_size = format!("width=\"{width}\" height=\"{height}\"");
        Ok(svg.replacen(&fine_size, &format!("width=\"{}\" height=\"{}\"", self.width, self.height), 1))
    }

    /// The figure as a PNG file.
    pub(super) fn to_png(&self, fonts: &Fonts) -> Result<Vec<u8>, PlotError> {
        let (width, height) = (fine(self.width) as u32, fine(self.height) as u32);
        let mut pixels = vec![255; width as usize * height as usize * 3];
        {
            let mut backend = BitMapBackend::with_buffer(&mut pixels, (width, height));
            for mark in &self.marks {
                match mark {
                    Mark::Line { points, color, width } => bitmap_line(&mut backend, points, *color, *width)?,
                    Mark::Dots { points, size, color } => {
                        let style = style(*color);
                        for (x, y) in points {
                            let (w, h) = (size.0 / 2.0, size.1 / 2.0);
                            let (from, to) = (fine_point((x - w, y - h)), fine_point((x + w, y + h)));
                            let to = (to.0.max(from.0 + 1), to.1.max(from.1 + 1));
                            draw(&mut backend, |b| b.draw_rect(from, to, &style, true))?;
                        }
                    }
                    Mark::Text(text) => bitmap_text(&mut backend, fonts, text)?,
                }
            }
            draw(&mut backend, DrawingBackend::present)?;
        }
        encode(&shrink(&pixels, width as usize, (FINE / PNG_SCALE) as usize), width, height)
    }
}

const WHITE: Color = (255, 255, 255);

fn draw<B: DrawingBackend, E: std::error::Error>(
    backend: &mut B,
    action: impl FnOnce(&mut B) -> Result<(), E>,
) -> Result<(), PlotError> {
    action(backend).map_err(|e| PlotError::Draw(e.to_string()))
}

fn fine(x: f64) -> i32 {
    (x * f64::from(FINE)).round() as i32
}

fn fine_point((x, y): (f64, f64)) -> (i32, i32) {
    (fine(x), fine(y))
}

fn stroke(width: f64) -> u32 {
    fine(width).max(1) as u32
}

fn style((r, g, b): Color) -> ShapeStyle {
    ShapeStyle { color: RGBAColor(r, g, b, 1.0), filled: true, stroke_width: 1 }
}

fn svg_text<B: DrawingBackend>(backend: &mut B, text: &Text) -> Result<(), PlotError> {
    // plotters writes `size / 1.24` as the font size, and half the height of an x as the offset of the baseline.
    let size = text.size * f64::from(FINE) * 1.24;
    let face = if text.bold { FontStyle::Bold } else { FontStyle::Normal };
    let turn = if text.upright { FontTransform::Rotate270 } else { FontTransform::None };
    let font = FontDesc::new(FontFamily::SansSerif, size, face).transform(turn);
    let h_pos = match text.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let (r, g, b) = text.color;
    let color = RGBColor(r, g, b);
    let style = TextStyle::from(font).color(&color).pos(Pos::new(h_pos, VPos::Center));
    let down = text.size * (CAP_HEIGHT - X_HEIGHT) / 2.0;
    let at = if text.upright { (text.x + down, text.y) } else { (text.x, text.y + down) };
    draw(backend, |b| b.draw_text(&text.text, &style, fine_point(at)))
}

/// All dots of one colour as a path of short strokes.
fn svg_dots(mark: &Mark) -> Option<String> {
    let Mark::Dots { points, size, color: (r, g, b) } = mark else { return None };
    let (w, h) = (fine(size.0).max(1), fine(size.1).max(1));
    let mut path = format!("<path fill=\"none\" stroke=\"#{r:02X}{g:02X}{b:02X}\" stroke-width=\"{h}\" d=\"");
    for point in points {
        let (x, y) = fine_point(*point);
        // Writing into a string does not fail.
        let _ = write!(path, "M{} {y}h{w}", x - w / 2);
    }
    path.push_str("\"/>\n");
    Some(path)
}

/// A polyline, one segment after the other with its joints covered: the joints of plotters overshoot where a trace
/// turns back.
fn bitmap_line<B: DrawingBackend>(
    backend: &mut B,
    points: &[(f64, f64)],
    color: Color,
    width: f64,
) -> Result<(), PlotError> {
    let stroke = stroke(width);
    let style = style(color).stroke_width(stroke);
    for segment in points.windows(2) {
        draw(backend, |b| b.draw_path(segment.iter().map(|p| fine_point(*p)), &style))?;
    }
    for corner in points.windows(3).filter(|corner| is_sharp(corner)) {
        if let [_, joint, _] = corner {
            draw(backend, |b| b.draw_circle(fine_point(*joint), stroke / 2, &style, true))?;
        }
    }
    Ok(())
}

/// Whether a line turns so far that its two segments leave a notch.
fn is_sharp(corner: &[(f64, f64)]) -> bool {
    let [a, b, c] = corner else { return false };
    let (p, q) = ((b.0 - a.0, b.1 - a.1), (c.0 - b.0, c.1 - b.1));
    let lengths = ((p.0 * p.0 + p.1 * p.1) * (q.0 * q.0 + q.1 * q.1)).sqrt();
    p.0 * q.0 + p.1 * q.1 < 0.8 * lengths
}

fn bitmap_text<B: DrawingBackend>(backend: &mut B, fonts: &Fonts, text: &Text) -> Result<(), PlotError> {
    let size = text.size * f64::from(FINE);
    let width = fonts.width(&text.text, size, text.bold);
    let start = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    let (start, baseline) = (start.round() as i32, (size * CAP_HEIGHT / 2.0).round() as i32);
    let (x, y) = fine_point((text.x, text.y));
    let (r, g, b) = text.color;
    let mut result = Ok(());
    fonts.rasterize(&text.text, size, text.bold, |dx, dy, coverage| {
        let (dx, dy) = (dx + start, dy + baseline);
        let at = if text.upright { (x + dy, y - dx) } else { (x + dx, y + dy) };
        let color = RGBAColor(r, g, b, coverage);
        if result.is_ok() {
            result = draw(backend, |bitmap| {
                bitmap.draw_pixel(at, plotters::style::Color::to_backend_color(&color))
            });
        }
    });
    result
}

/// Averages squares of `by` times `by` pixels.
fn shrink(pixels: &[u8], width: usize, by: usize) -> Vec<u8> {
    let mut small = Vec::with_capacity(pixels.len() / (by * by));
    for rows in pixels.chunks_exact(width * 3 * by) {
        for x in 0..width / by {
            for channel in 0..3 {
                let sum: usize = (0..by * by)
                    .filter_map(|k| rows.get(((k / by) * width + x * by + k % by) * 3 + channel))
                    .map(|value| usize::from(*value))
                    .sum();
                small.push((sum / (by * by)) as u8);
            }
        }
    }
    small
}

fn encode(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, PlotError> {
    let mut file = Vec::new();
    let by = FINE / PNG_SCALE;
    let mut encoder = png::Encoder::new(&mut file, width / by, height / by);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(pixels))
        .map_err(|e| PlotError::Draw(e.to_string()))?;
    Ok(file)
}

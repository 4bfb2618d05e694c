//! Figures as pixels.

use dindbench::report::{Figure, figures};
use resvg::tiny_skia::Pixmap;

use crate::drawn::attribute;
use crate::report;
use crate::sample::{run, three, trials};

fn pixels(figure: &Figure) -> Pixmap {
    Pixmap::decode_png(&figure.png().unwrap()).unwrap_or_else(|error| panic!("{}: {error}", figure.name))
}

/// How many pixels are darker than any fill of the figures.
fn dark(pixels: &Pixmap) -> usize {
    pixels.pixels().iter().filter(|pixel| u32::from(pixel.red()) + u32::from(pixel.green()) < 140).count()
}

#[test]
fn an_image_is_twice_the_size_of_its_figure_and_not_blank() {
    for figure in figures(&three(7)).unwrap() {
        let image = pixels(&figure);
        let of = |name: &str| attribute(&figure.svg, name).next().unwrap().parse::<u32>().unwrap();
        assert_eq!((image.width(), image.height()), (2 * of("width"), 2 * of("height")), "{}", figure.name);
        let (first, all) = (image.pixels()[0], image.pixels());
        let drawn = all.iter().filter(|pixel| **pixel != first).count();
        assert!(first.red() == 255 && drawn * 100 > all.len(), "{}: {drawn} of {}", figure.name, all.len());
    }
}

/// A renderer without a font leaves text out and says nothing.
#[test]
fn an_image_has_the_texts_of_its_figure() {
    for figure in figures(&three(7)).unwrap() {
        let (before, after): (Vec<&str>, Vec<&str>) =
            figure.svg.split("<text").map(|part| part.split_once("</text>").unwrap_or((part, ""))).unzip();
        let without = format!("{}{}", before[0], after.concat());
        let mute = Figure { svg: without, ..figure.clone() };
        let (with, without) = (dark(&pixels(&figure)), dark(&pixels(&mute)));
        assert!(with > without + 1_000, "{}: {with} dark pixels, {without} without its texts", figure.name);
    }
}

#[test]
fn a_report_has_each_figure_in_both_forms() {
    let folder = tempfile::tempdir().unwrap();
    let analysis = three(7);
    let written = report::write(folder.path(), &run(), &analysis, &trials(&analysis), &[]).unwrap();
    let expected: Vec<_> = figures(&analysis)
        .unwrap()
        .iter()
        .flat_map(|figure| {
            ["svg", "png"].map(|form| folder.path().join("plots").join(figure.name).with_extension(form))
        })
        .collect();
    assert_eq!(written.plots, expected);
    assert!(expected.iter().all(|file| file.is_file()));
}

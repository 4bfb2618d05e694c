//! Colours, sizes and marks: a topology has one look in every figure.

use plotters::style::RGBColor;

/// Width of every figure in pixels.
pub(super) const WIDTH: f64 = 760.0;
pub(super) const MARGIN: f64 = 14.0;

pub(super) const TITLE_SIZE: f64 = 16.0;
pub(super) const TEXT_SIZE: f64 = 12.0;
pub(super) const SMALL_SIZE: f64 = 10.5;

pub(super) const INK: RGBColor = RGBColor(0x1f, 0x24, 0x2a);
pub(super) const FAINT_INK: RGBColor = RGBColor(0x5b, 0x63, 0x6d);
pub(super) const GRID: RGBColor = RGBColor(0xdf, 0xe3, 0xe8);
pub(super) const BAND: RGBColor = RGBColor(0xf5, 0xf6, 0xf8);

/// The palette of Okabe and Ito, "Color Universal Design" (2008), with its grey, and without the yellow
/// that nobody sees on a light ground.
const PALETTE: [RGBColor; 8] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0x99, 0x99, 0x99),
];

/// The second sign of a topology, for eyes and printers without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    Inverted,
    Cross,
    Plus,
    Bar,
}

const SHAPES: [Shape; 8] = [
    Shape::Circle,
    Shape::Square,
    Shape::Triangle,
    Shape::Diamond,
    Shape::Inverted,
    Shape::Cross,
    Shape::Plus,
    Shape::Bar,
];

pub(super) fn colour(topology: usize) -> RGBColor {
    PALETTE[topology % PALETTE.len()]
}

/// The shapes move on by one with each round of colours, so that 64 topologies look different.
pub(super) fn shape(topology: usize) -> Shape {
    SHAPES[(topology + topology / PALETTE.len()) % SHAPES.len()]
}

/// Shade of a share from 0 to 1: white to the palette's blue, so that a copy without colour keeps the order.
pub(super) fn shade(share: f64) -> RGBColor {
    tint(PALETTE[0], share)
}

/// How a topology fared, as the ground under words that say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    Good,
    Doubtful,
    Bad,
}

/// Blue, orange and vermilion, the darker the worse, so that a copy without colour keeps the order.
pub(super) fn ground(ground: Ground) -> RGBColor {
    match ground {
        Ground::Good => tint(PALETTE[0], 0.1),
        Ground::Doubtful => tint(PALETTE[4], 0.3),
        Ground::Bad => tint(PALETTE[1], 0.45),
    }
}

fn tint(RGBColor(red, green, blue): RGBColor, share: f64) -> RGBColor {
    let mix = |full: u8| (255.0 + (f64::from(full) - 255.0) * share.clamp(0.0, 1.0)).round() as u8;
    RGBColor(mix(red), mix(green), mix(blue))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn sixty_four_topologies_look_different() {
        let looks: HashSet<_> = (0..64).map(|index| (colour(index).0, colour(index).1, shape(index))).collect();
        assert_eq!(looks.len(), 64);
    }
}

//! What `docs/format.md` says.

pub const FORMAT: &str = include_str!("../../docs/format.md");

/// What stands in the first column of the tables below a heading, up to the next heading.
pub fn documented(heading: &str) -> Vec<&'static str> {
    let below = FORMAT.lines().skip_while(|line| *line != heading).skip(1);
    let section = below.take_while(|line| !line.starts_with('#'));
    section.filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name)).collect()
}

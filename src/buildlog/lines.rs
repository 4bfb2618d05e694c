//! Lines out of chunks of bytes, and the few kinds of line that the classic builder itself prints.

use std::time::Duration;

/// Bytes kept of the beginning of a line. A RUN step may print gigabytes without a line break.
const HEAD: usize = 1 << 20;
/// Bytes kept of the end of a longer line: the builder's own words can stand there.
const TAIL: usize = 256;

/// Cuts a stream into lines. However the stream was cut into chunks, the lines are the same.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// When the first byte of the pending line arrived; none between two lines.
    since: Option<Duration>,
    head: Vec<u8>,
    /// What came after a full head; of a finished line only the last [`TAIL`] bytes count.
    tail: Vec<u8>,
    truncated: bool,
}

impl Lines {
    /// Takes a chunk that arrived `at`, and hands over every line that it ends, without its line break, with the time
    /// at which the line began.
    pub(super) fn push(&mut self, at: Duration, chunk: &[u8], mut each: impl FnMut(Duration, &[u8])) {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let since = *self.since.get_or_insert(at);
            match piece.strip_suffix(b"\n") {
                None => self.append(piece),
                Some(end) => {
                    self.append(end);
                    self.close();
                    each(since, trim_returns(&self.head));
                    self.clear();
                }
            }
        }
    }

    /// The line that no line break ended yet.
    pub(super) fn pending(&mut self) -> Option<(Duration, &[u8])> {
        self.close();
        self.since.map(|since| (since, trim_returns(&self.head)))
    }

    /// Whether a line was so long that it may not have been kept whole.
    pub(super) fn truncated(&self) -> bool {
        self.truncated
    }

    fn append(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(HEAD.saturating_sub(self.head.len())));
        self.head.extend_from_slice(head);
        self.tail.extend_from_slice(&rest[rest.len().saturating_sub(TAIL)..]);
        self.truncated |= !rest.is_empty();
        if self.tail.len() > 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
    }

    fn close(&mut self) {
        let from = self.tail.len().saturating_sub(TAIL);
        self.head.extend_from_slice(&self.tail[from..]);
        self.tail.clear();
    }

    fn clear(&mut self) {
        self.since = None;
        self.head.clear();
    }
}

/// A terminal's line ends with `\r\n`, and a progress line with several `\r` before that.
fn trim_returns(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    &line[..end]
}

/// A line with the shape of one of the builder's own.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Header {
        step: u32,
        of: u32,
        text: &'a [u8],
    },
    UsingCache,
    RunningIn(&'a str),
    /// ` ---> ID`, or nothing behind the arrow for `FROM scratch`.
    Image(Option<&'a str>),
    Built(&'a str),
}

impl<'a> Line<'a> {
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        if let Some(rest) = line.strip_prefix(b"Step ") {
            return header(rest);
        }
        if let Some(id) = line.strip_prefix(b"Successfully built ") {
            return short_id(id).map(Self::Built);
        }
        let told = line.strip_prefix(b" ---> ")?;
        match told {
            b"" => Some(Self::Image(None)),
            b"Using cache" => Some(Self::UsingCache),
            _ => match told.strip_prefix(b"Running in ") {
                Some(id) => short_id(id).map(Self::RunningIn),
                None => short_id(told).map(|id| Self::Image(Some(id))),
            },
        }
    }
}

/// The container whose removal a line ends with. What stands before is RUN output without a final line break, or the
/// escape that ends coloured output.
pub(super) fn removal(line: &[u8]) -> Option<&str> {
    let id_at = line.len().checked_sub(SHORT_ID)?;
    let (words, id) = line.split_at(id_at);
    // Engine 20.10 has the first wording; the second is newer.
    let removed = words.ends_with(b"Removing intermediate container ")
        || words.ends_with(b" ---> Removed intermediate container ");
    if removed { short_id(id) } else { None }
}

/// Hex digits of an id as the builder prints it.
const SHORT_ID: usize = 12;

/// The short form of a full image id, which may carry its `sha256:`.
pub(super) fn shorten(id: &str) -> &str {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    digits.get(..SHORT_ID).unwrap_or(digits)
}

fn short_id(bytes: &[u8]) -> Option<&str> {
    let hex = bytes.len() == SHORT_ID && bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if hex { std::str::from_utf8(bytes).ok() } else { None }
}

/// `K/N : TEXT`
fn header(rest: &[u8]) -> Option<Line<'_>> {
    let (step, rest) = number(rest)?;
    let (of, rest) = number(rest.strip_prefix(b"/")?)?;
    let text = rest.strip_prefix(b" : ")?;
    (1..=of).contains(&step).then_some(Line::Header { step, of, text })
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = bytes.split_at(digits);
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<(u64, Vec<u8>)> {
        let mut seen = Vec::new();
        let mut lines = Lines::default();
        for (at, chunk) in (0..).zip(chunks) {
            lines.push(Duration::from_secs(at), chunk, |since, line| seen.push((since.as_secs(), line.to_vec())));
        }
        seen
    }

    #[test]
    fn a_line_has_the_time_of_its_first_byte() {
        let seen = lines(&[b"a\nb", b"", b"c", b"\n", b"\r\r\n", b"open"]);
        assert_eq!(seen, [(0, b"a".to_vec()), (0, b"bc".to_vec()), (4, Vec::new())]);
    }

    #[test]
    fn the_middle_of_an_endless_line_is_dropped_the_same_way_in_any_chunks() {
        let mut text = vec![b'x'; HEAD + 10 * TAIL];
        text.extend_from_slice(b"Removing intermediate container 0123456789ab\n");
        let whole = lines(&[&text]);
        assert_eq!(whole[0].1.len(), HEAD + TAIL);
        assert_eq!(removal(&whole[0].1), Some("0123456789ab"));
        for size in [1, 7, TAIL, TAIL + 1, 3 * TAIL, HEAD] {
            let parts: Vec<_> = text.chunks(size).collect();
            assert_eq!(lines(&parts)[0].1, whole[0].1, "chunks of {size}");
        }
    }

    #[test]
    fn only_exact_shapes_are_the_builders() {
        let header = Line::Header { step: 2, of: 10, text: b"RUN true" };
        assert_eq!(Line::parse(b"Step 2/10 : RUN true"), Some(header));
        assert_eq!(Line::parse(b" ---> "), Some(Line::Image(None)));
        for other in [
            "Step 0/3 : RUN true",
            "Step 4/3 : RUN true",
            "Step 1/99999999999 : RUN true",
            "Step /3 : RUN true",
            "STEP 1/3: FROM scratch",
            " ---> Using cache ",
            "x ---> Using cache",
            "---> Using cache",
            " ---> Running in 0123456789AB",
            " ---> Running in 0123456789a",
            " ---> [Warning] no swap limit",
            "Successfully built 0123456789abc",
            "Successfully tagged a:latest",
        ] {
            assert_eq!(Line::parse(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_removal_is_found_behind_output_without_a_line_break() {
        for glued in [
            "Removing intermediate container 0123456789ab",
            "abcRemoving intermediate container 0123456789ab",
            "\u{1b}[0mRemoving intermediate container 0123456789ab",
            "abc ---> Removed intermediate container 0123456789ab",
        ] {
            assert_eq!(removal(glued.as_bytes()), Some("0123456789ab"), "{glued}");
        }
        assert_eq!(removal(b"Removed intermediate container 0123456789ab"), None);
        assert_eq!(removal(b"0123"), None);
    }
}

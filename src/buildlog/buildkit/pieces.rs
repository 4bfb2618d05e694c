//! Cuts a stream in which JSON objects and text alternate: one to a line, over many lines, or glued to one another.

use std::time::Duration;

/// A part of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// From one brace to the one that closes it.
    Object(&'a [u8]),
    /// A line, or the part of one up to an object.
    Text(&'a [u8]),
}

/// Cuts bytes into pieces; however they came in chunks, the pieces are the same. Linear, whatever the bytes are.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pending: Vec<u8>,
    /// When the first byte of an open object arrived.
    since: Duration,
    depth: u32,
    string: bool,
    escaped: bool,
}

impl Pieces {
    /// Takes a chunk that arrived `at`, and hands over every piece that it ends, with the time at which it began.
    pub fn push(&mut self, at: Duration, chunk: &[u8], mut each: impl FnMut(Duration, Piece<'_>)) {
        for byte in chunk.iter().copied() {
            match byte {
                b'{' if self.depth == 0 => {
                    self.text(at, &mut each);
                    (self.since, self.depth) = (at, 1);
                    self.pending.push(byte);
                }
                b'\n' if self.depth == 0 => self.text(at, &mut each),
                _ if self.depth == 0 => self.pending.push(byte),
                // No string of JSON holds a line break: this was no object.
                b'\n' if self.string => self.text(at, &mut each),
                _ => {
                    self.pending.push(byte);
                    self.within(byte);
                    if self.depth == 0 {
                        each(self.since, Piece::Object(&self.pending));
                        self.pending.clear();
                    }
                }
            }
        }
    }

    /// Ends the stream: an object that is still open is text.
    pub fn finish(&mut self, mut each: impl FnMut(Duration, Piece<'_>)) {
        self.text(self.since, &mut each);
    }

    fn within(&mut self, byte: u8) {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.string => self.escaped = true,
            b'"' => self.string = !self.string,
            b'{' if !self.string => self.depth = self.depth.saturating_add(1),
            b'}' if !self.string => self.depth -= 1,
            _ => {}
        }
    }

    fn text(&mut self, at: Duration, each: &mut impl FnMut(Duration, Piece<'_>)) {
        for line in self.pending.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            each(at, Piece::Text(line));
        }
        *self = Self { pending: std::mem::take(&mut self.pending), ..Self::default() };
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(chunks: &[&[u8]]) -> Vec<(u64, bool, String)> {
        let mut seen = Vec::new();
        let mut each = |since: Duration, piece: Piece<'_>| {
            let (object, bytes) = match piece {
                Piece::Object(bytes) => (true, bytes),
                Piece::Text(bytes) => (false, bytes),
            };
            seen.push((since.as_secs(), object, String::from_utf8_lossy(bytes).into_owned()));
        };
        let mut pieces = Pieces::default();
        for (at, chunk) in (0..).zip(chunks) {
            pieces.push(Duration::from_secs(at), chunk, &mut each);
        }
        pieces.finish(&mut each);
        seen
    }

    #[test]
    fn objects_are_cut_out_of_whatever_is_around_them() {
        let whole = b"text\n{\"a\":\"}{\\\"\"}{\n \"b\": {\"c\": []}\n}ERROR: x${A}\n{\"d\": \"un\nclosed {";
        let expected = [
            (false, "text"),
            (true, "{\"a\":\"}{\\\"\"}"),
            (true, "{\n \"b\": {\"c\": []}\n}"),
            (false, "ERROR: x$"),
            (true, "{A}"),
            (false, "{\"d\": \"un"),
            (false, "closed "),
            (false, "{"),
        ];
        let kinds = |pieces: Vec<(u64, bool, String)>| -> Vec<(bool, String)> {
            pieces.into_iter().map(|(_, object, text)| (object, text)).collect()
        };
        let expected: Vec<_> = expected.map(|(object, text)| (object, text.to_owned())).into();
        assert_eq!(kinds(pieces(&[whole])), expected);
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(kinds(pieces(&bytes)), expected);
    }

    #[test]
    fn an_object_has_the_time_of_its_first_byte() {
        assert_eq!(pieces(&[b"x{", b"\"a\":1", b"}\n"]), [(0, false, "x".into()), (0, true, "{\"a\":1}".into())]);
    }
}

//! What the docker command says beside BuildKit's progress, such as why a build failed.

/// Lines that belong to no vertex, without the excerpts between dashes: those repeat RUN output, or the Dockerfile.
#[derive(Debug, Default)]
pub(super) struct Said {
    text: String,
    excerpt: bool,
}

impl Said {
    pub fn line(&mut self, line: &[u8]) {
        if line.len() >= 6 && line.iter().all(|byte| *byte == b'-') {
            self.excerpt = !self.excerpt;
        } else if !self.excerpt && !line.trim_ascii().is_empty() {
            self.text.push_str(&String::from_utf8_lossy(line));
            self.text.push('\n');
        }
    }

    pub fn into_text(self) -> String {
        self.text
    }
}

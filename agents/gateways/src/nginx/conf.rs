//! Reads what `nginx -T` prints, as far as a cut depends on it: which server blocks include our file, and what would let a
//! call go on whose client is gone.

use std::path::Path;

/// Something in the configuration that keeps a cut from working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leak {
    /// A server block without our file: where it begins.
    Unguarded(String),
    /// `proxy_ignore_client_abort on`: where it stands.
    IgnoresAbort(String),
}

/// One word, and where it stands.
struct Word<'a> {
    text: &'a str,
    file: &'a str,
    line: usize,
}

/// What is found in all files together. Blocks that nginx reads nothing else from (`stream`, `mail`) are not ours.
pub(super) fn leaks(dump: &str, overlay: &Path) -> Vec<Leak> {
    let mut found = Vec::new();
    // Each open server block: how deep, where it began, whether it is guarded.
    let mut servers: Vec<(usize, String, bool)> = Vec::new();
    let (mut depth, mut statement): (usize, Vec<Word<'_>>) = (0, Vec::new());
    for word in words(dump) {
        match word.text {
            "{" => {
                depth += 1;
                if let [only] = statement.as_slice()
                    && only.text == "server"
                {
                    servers.push((depth, format!("{}:{}", only.file, only.line), false));
                }
                statement.clear();
            }
            "}" => {
                if let Some((_, at, guarded)) = servers.pop_if(|(at, _, _)| *at == depth)
                    && !guarded
                {
                    found.push(Leak::Unguarded(at));
                }
                depth = depth.saturating_sub(1);
                statement.clear();
            }
            ";" => {
                let said: Vec<&str> = statement.iter().map(|word| word.text).collect();
                match said.as_slice() {
                    // Written in whole, or from the folder of the configuration.
                    ["include", file] if overlay.ends_with(file) => {
                        if let Some((at, _, guarded)) = servers.last_mut() {
                            *guarded |= *at == depth;
                        }
                    }
                    ["proxy_ignore_client_abort", "on"] => {
                        let at = statement.first().map(|word| (word.file, word.line));
                        let (file, line) = at.unwrap_or_default();
                        found.push(Leak::IgnoresAbort(format!("{file}:{line}")));
                    }
                    _ => {}
                }
                statement.clear();
            }
            _ => statement.push(word),
        }
    }
    found
}

/// The words of nginx's grammar: `{`, `}` and `;` are words of their own, quotes hold together, `#` begins a comment.
fn words(dump: &str) -> Vec<Word<'_>> {
    const FILE: &str = "# configuration file ";
    let (mut all, mut file, mut line) = (Vec::new(), "", 0);
    let mut rest = dump;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\n' => {
                line += 1;
                1
            }
            '#' => {
                let comment = rest.lines().next().unwrap_or_default();
                if let Some(name) = comment.strip_prefix(FILE) {
                    (file, line) = (name.trim_end_matches(':'), 0);
                }
                comment.len()
            }
            blank if blank.is_whitespace() => blank.len_utf8(),
            '{' | '}' | ';' => 1,
            quote @ ('"' | '\'') => quoted(rest, quote),
            _ => plain(rest),
        };
        let (text, behind) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        if !first.is_whitespace() && first != '#' {
            let text = text.trim_matches(['"', '\'']);
            all.push(Word { text, file, line });
            line += text.matches('\n').count();
        }
        rest = behind;
    }
    all
}

/// Length of a word in quotes, those included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, one) in text.char_indices().skip(1) {
        match one {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if one == quote => return at + one.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Length of a word without quotes. `${name}` is part of a word.
fn plain(text: &str) -> usize {
    let mut before = ' ';
    let mut braces = 0_u32;
    for (at, one) in text.char_indices() {
        match one {
            '{' if before == '$' => braces += 1,
            '}' if braces > 0 => braces -= 1,
            '{' | '}' | ';' => return at,
            blank if blank.is_whitespace() => return at,
            _ => {}
        }
        before = one;
    }
    text.len()
}

#[cfg(test)]
mod tests;

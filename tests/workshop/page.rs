//! The page, as commands with what they print and text between them.

use std::fmt;

use regex::Regex;

/// A page of Markdown.
#[derive(Debug, Clone)]
pub struct Page {
    pub parts: Vec<Part>,
    varies: Vec<Regex>,
}

/// A piece of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Lines that are not tried.
    Text(String),
    /// A block that the reader puts into a file, which the comment before it names.
    File { path: String, text: String },
    /// A command of a `console` block.
    Command { line: usize, text: String, output: String },
}

impl Page {
    /// Takes the page apart.
    pub fn read(text: &str) -> Self {
        let (mut parts, mut varies) = (Vec::new(), Vec::new());
        let (mut file, mut block) = (None, None);
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(pattern) = line.strip_prefix("varies: ") {
                varies.push(Regex::new(pattern).unwrap());
            }
            match (&block, line) {
                (None, line) if line.starts_with("```") => {
                    block = Some(match (line, file.take()) {
                        (_, Some(path)) => Block::File(path),
                        ("```console", _) => Block::Console,
                        _ => Block::Other,
                    });
                    parts.push(Part::Text(line.to_owned()));
                    if let Some(Block::File(path)) = &block {
                        parts.push(Part::File { path: path.clone(), text: String::new() });
                    }
                }
                (Some(_), "```") => {
                    block = None;
                    parts.push(Part::Text(line.to_owned()));
                }
                (Some(Block::Console), line) => match (line.strip_prefix("$ "), parts.last_mut()) {
                    (Some(text), _) => parts.push(Part::Command {
                        line: number,
                        text: text.to_owned(),
                        output: String::new(),
                    }),
                    (None, Some(Part::Command { output, .. })) => {
                        if !output.is_empty() {
                            output.push('\n');
                        }
                        output.push_str(line);
                    }
                    _ => panic!("line {number}: output without a command"),
                },
                (Some(Block::File(_)), line) => match parts.last_mut() {
                    Some(Part::File { text, .. }) => {
                        text.push_str(line);
                        text.push('\n');
                    }
                    _ => unreachable!("a file follows the line that opens its block"),
                },
                (Some(Block::Other) | None, line) => {
                    if let Some(path) = line.strip_prefix("<!-- file: ") {
                        file = path.strip_suffix(" -->").map(str::to_owned);
                    }
                    parts.push(Part::Text(line.to_owned()));
                }
            }
        }
        Self { parts, varies }
    }

    /// Without what is other each time.
    pub fn masked(&self, text: &str) -> String {
        self.varies.iter().fold(text.to_owned(), |text, varies| varies.replace_all(&text, "*").into_owned())
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(line) => writeln!(f, "{line}")?,
                Part::File { text, .. } => write!(f, "{text}")?,
                Part::Command { text, output, .. } if output.is_empty() => writeln!(f, "$ {text}")?,
                Part::Command { text, output, .. } => writeln!(f, "$ {text}\n{output}")?,
            }
        }
        Ok(())
    }
}

enum Block {
    Console,
    File(String),
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Title
<!-- file: a/b.yaml -->
```yaml
x: 1
```
varies: [0-9]+
```console
$ first
one
two
$ second
```
```sh
$ left alone
```
";

    #[test]
    fn a_page_is_taken_apart_and_put_together_again() {
        let page = Page::read(TEXT);
        assert_eq!(page.to_string(), TEXT);
        let told: Vec<_> = page.parts.iter().filter(|part| !matches!(part, Part::Text(_))).collect();
        let command =
            |line, text: &str, output: &str| Part::Command { line, text: text.into(), output: output.into() };
        assert_eq!(
            told,
            [
                &Part::File { path: "a/b.yaml".into(), text: "x: 1\n".into() },
                &command(8, "first", "one\ntwo"),
                &command(11, "second", ""),
            ]
        );
        assert_eq!(page.masked("took 12 ms"), "took * ms");
    }
}

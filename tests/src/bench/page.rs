//! The page that figures are put into, and the machine they were measured on.

use anyhow::Context as _;
use std::path::Path;

/// Replaces what stands on a page between the two marks of `part`; `tool` is who writes it.
pub fn put(page: &Path, part: &str, tool: &str, figures: &str) -> anyhow::Result<()> {
    let begin = format!("<!-- {part}: written by {tool} -->");
    let end = format!("<!-- end of {part} -->");
    let text = std::fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let (before, rest) = text
        .split_once(&begin)
        .with_context(|| format!("{} has no line {begin}", page.display()))?;
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("{} has no line {end}", page.display()))?;
    let figures = figures.trim_end();
    std::fs::write(page, format!("{before}{begin}\n{figures}\n{end}{after}"))?;
    Ok(())
}

/// How busy this machine is: its load average of the last minute, as the kernel writes it.
#[must_use]
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

/// This machine and this build in a few words.
#[must_use]
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel: Vec<&str> = kernel.trim().split(['.', '-']).take(2).collect();
    let build = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    format!(
        "{build} build, {cores} cores of {model}, Linux {}, everything on one machine over loopback",
        kernel.join(".")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_of_a_part_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.md");
        let text = "a\n<!-- one: written by tool -->\nold\n<!-- end of one -->\nb\n<!-- two: written by tool -->\n<!-- end of two -->\n";
        std::fs::write(&page, text).unwrap();
        put(&page, "one", "tool", "new\n").unwrap();
        let wanted = text.replace("old", "new");
        assert_eq!(std::fs::read_to_string(&page).unwrap(), wanted);
        assert!(put(&page, "three", "tool", "new").is_err());
        assert_eq!(std::fs::read_to_string(&page).unwrap(), wanted);
    }
}

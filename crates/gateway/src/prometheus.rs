//! The text format of Prometheus, 0.0.4, made of OpenMetrics: every scraper reads it.

/// Gives OpenMetrics text, as `prometheus-client` writes it, the older form. There a counter is
/// called as its samples are, with `_total`, and there are neither units nor an end.
pub(crate) fn from_open_metrics(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + (1 << 10));
    // What a metric is comes after its help, and decides about the name in both.
    let mut help = None;
    for line in text.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            push(&mut out, &[line]);
            continue;
        };
        if let Some(named) = comment.strip_prefix("HELP ") {
            help = named.split_once(' ');
        } else if let Some((name, kind)) =
            comment.strip_prefix("TYPE ").and_then(|t| t.split_once(' '))
        {
            let suffix = if kind == "counter" { "_total" } else { "" };
            let kind = if kind == "unknown" { "untyped" } else { kind };
            if let Some((_, help)) = help.take().filter(|(own, _)| *own == name) {
                push(&mut out, &["# HELP ", name, suffix, " ", help]);
            }
            push(&mut out, &["# TYPE ", name, suffix, " ", kind]);
        }
    }
    out
}

fn push(out: &mut String, parts: &[&str]) {
    out.extend(parts.iter().copied());
    out.push('\n');
}

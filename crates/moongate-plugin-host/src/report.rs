//! What is measured of plugins, as Prometheus reads it.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::generation::Generation;

/// Writes the figures of these plugins. Those of versions that were replaced are not in them.
pub(crate) fn render(plugins: &[(String, Arc<Generation>)], text: &mut String) {
    let figures: Vec<_> =
        plugins.iter().map(|(name, generation)| (name, generation, generation.statistics())).collect();
    // Writing to a string cannot fail.
    let mut family = |name: &str, kind: &str, help: &str, lines: &mut dyn FnMut(&mut String)| {
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        lines(text);
    };
    family("moongate_plugin_calls_total", "counter", "Calls of hooks.", &mut |text| {
        for (name, _, figures) in &figures {
            for hook in &figures.hooks {
                let (hook, calls) = (hook.hook, hook.calls);
                let _ = writeln!(
                    text,
                    "moongate_plugin_calls_total{{plugin=\"{name}\",hook=\"{hook}\"}} {calls}"
                );
            }
        }
    });
    family("moongate_plugin_responses_total", "counter", "Requests that plugins answered.", &mut |text| {
        for (name, _, figures) in &figures {
            for hook in figures.hooks.iter().filter(|hook| hook.responses > 0) {
                let (hook, count) = (hook.hook, hook.responses);
                let _ = writeln!(
                    text,
                    "moongate_plugin_responses_total{{plugin=\"{name}\",hook=\"{hook}\"}} {count}"
                );
            }
        }
    });
    family("moongate_plugin_errors_total", "counter", "Hooks that failed, by kind.", &mut |text| {
        for (name, _, figures) in &figures {
            for hook in &figures.hooks {
                for (kind, count) in &hook.errors {
                    let hook = hook.hook;
                    let _ = writeln!(
                        text,
                        "moongate_plugin_errors_total{{plugin=\"{name}\",hook=\"{hook}\",kind=\"{kind}\"}} {count}"
                    );
                }
            }
        }
    });
    let waits = "Time that calls waited for an instance.";
    family("moongate_plugin_wait_seconds_total", "counter", waits, &mut |text| {
        for (name, _, figures) in &figures {
            for hook in &figures.hooks {
                let (hook, seconds) = (hook.hook, hook.wait_ns as f64 / 1e9);
                let _ = writeln!(
                    text,
                    "moongate_plugin_wait_seconds_total{{plugin=\"{name}\",hook=\"{hook}\"}} {seconds}"
                );
            }
        }
    });
    family("moongate_plugin_cpu_seconds_total", "counter", "CPU time of hooks, from samples.", &mut |text| {
        for (name, _, figures) in &figures {
            for hook in &figures.hooks {
                let (hook, seconds) = (hook.hook, hook.cpu_ns as f64 / 1e9);
                let _ = writeln!(
                    text,
                    "moongate_plugin_cpu_seconds_total{{plugin=\"{name}\",hook=\"{hook}\"}} {seconds}"
                );
            }
        }
    });
    family("moongate_plugin_instances", "gauge", "Instances, at rest and at work.", &mut |text| {
        for (name, _, figures) in &figures {
            let _ = writeln!(text, "moongate_plugin_instances{{plugin=\"{name}\"}} {}", figures.instances);
        }
    });
    family("moongate_plugin_memory_bytes", "gauge", "Linear memory of instances at rest.", &mut |text| {
        for (name, _, figures) in &figures {
            let _ = writeln!(text, "moongate_plugin_memory_bytes{{plugin=\"{name}\"}} {}", figures.memory);
        }
    });
    family("moongate_plugin_generation", "gauge", "Versions that went live.", &mut |text| {
        for (name, generation, _) in &figures {
            let _ = writeln!(text, "moongate_plugin_generation{{plugin=\"{name}\"}} {}", generation.number);
        }
    });
    family("moongate_plugin_log_queue", "gauge", "Log records that wait.", &mut |text| {
        for (name, _, figures) in &figures {
            let _ = writeln!(text, "moongate_plugin_log_queue{{plugin=\"{name}\"}} {}", figures.queued);
        }
    });
    family("moongate_plugin_log_dropped_total", "counter", "Log records that were dropped.", &mut |text| {
        for (name, _, figures) in &figures {
            let _ =
                writeln!(text, "moongate_plugin_log_dropped_total{{plugin=\"{name}\"}} {}", figures.dropped);
        }
    });
    family(
        "moongate_plugin_series_dropped_total",
        "counter",
        "Series beyond what a plugin may have.",
        &mut |text| {
            for (name, generation, _) in &figures {
                let dropped = generation.space().metrics.dropped();
                let _ = writeln!(text, "moongate_plugin_series_dropped_total{{plugin=\"{name}\"}} {dropped}");
            }
        },
    );
}

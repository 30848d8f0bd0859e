use super::*;
use crate::testing::declared;

const CONFIGURATION: &str = "
_format_version: '3.0'
services:
- name: s
  host: h
  routes:
  - name: r
    paths: [/]
    plugins:
    - {name: limited, instance_name: of-route}
  - {name: other, paths: [/other]}
  plugins:
  - {name: limited, instance_name: of-service}
  - {name: wide, instance_name: of-service-wide}
- name: t
  host: h
routes:
- {name: free, paths: [/free]}
plugins:
- {name: limited, instance_name: of-all}
- {name: wide, instance_name: of-all-wide}
- {name: exact, instance_name: of-both, route: r, service: s}
- {name: exact, instance_name: of-route-only, route: r}
- {name: stray, instance_name: of-another-service, route: r, service: t}
- {name: idle, instance_name: disabled, enabled: false}
- {name: streams, instance_name: of-streams, protocols: [tcp, udp]}
";

/// The instance names of the configurations that apply to a route, or to no route.
fn selected(route: Option<&str>) -> Vec<String> {
    let entities = declared(CONFIGURATION);
    let plugins = match route {
        Some(name) => {
            let route = entities.routes.iter().find(|route| route.name.as_deref() == Some(name)).unwrap();
            select_plugins(&entities, route)
        }
        None => global_plugins(&entities),
    };
    plugins.iter().map(|plugin| plugin.instance_name.clone().unwrap()).collect()
}

#[test]
fn the_most_limited_configuration_wins() {
    assert_eq!(selected(Some("r")), ["of-both", "of-route", "of-service-wide"]);
    assert_eq!(selected(Some("other")), ["of-service", "of-service-wide"]);
    assert_eq!(selected(Some("free")), ["of-all", "of-all-wide"]);
}

#[test]
fn requests_without_a_route_get_the_global_configurations() {
    assert_eq!(selected(None), ["of-all", "of-all-wide"]);
}

#[test]
fn a_disabled_configuration_uncovers_the_next_one() {
    let text = "
_format_version: '3.0'
services:
- {name: s, host: h, plugins: [{name: p, instance_name: idle, enabled: false}], routes: [{name: r, paths: [/]}]}
plugins:
- {name: p, instance_name: active}
";
    let entities = declared(text);
    let index = PluginIndex::new(&entities);
    assert_eq!(index.for_route(&entities.routes[0])[0].instance_name.as_deref(), Some("active"));
}

#[test]
fn consumers_count_less_than_route_and_service_together_and_more_than_either() {
    let configuration = |scope: &str, name: &str| format!("- {{name: p, instance_name: {name}, {scope}}}\n");
    let levels = [
        ("route: r, service: s, consumer: c", "route-service-consumer"),
        ("route: r, consumer: c", "route-consumer"),
        ("service: s, consumer: c", "service-consumer"),
        ("route: r, service: s", "route-service"),
        ("consumer: c", "consumer"),
        ("route: r", "route"),
        ("service: s", "service"),
        ("enabled: true", "everything"),
    ];
    for first in 0..levels.len() {
        let plugins: String =
            levels[first..].iter().map(|(scope, name)| configuration(scope, name)).collect();
        let text = format!(
            "
_format_version: '3.0'
services: [{{name: s, host: h, routes: [{{name: r, paths: [/]}}]}}]
consumers: [{{username: c}}, {{username: d}}]
plugins:
{plugins}"
        );
        let entities = declared(&text);
        let consumer =
            |name| entities.consumers.iter().find(|consumer| consumer.username.as_deref() == Some(name));
        let index = PluginIndex::new(&entities);
        let choices = index.choices_for_route(&entities.routes[0]);
        let chosen =
            |consumer| choices[0].select(consumer).and_then(|plugin| plugin.instance_name.as_deref());
        assert_eq!(chosen(consumer("c").map(|consumer| consumer.id)), Some(levels[first].1));
        let for_others = levels[first..].iter().find(|(scope, _)| !scope.contains("consumer"));
        for other in [None, consumer("d").map(|consumer| consumer.id)] {
            assert_eq!(chosen(other), for_others.map(|(_, name)| *name), "from level {first}");
        }
        assert_eq!(choices[0].depends_on_consumer(), levels[first].0.contains("consumer"));
    }
}

#[test]
fn a_plugin_for_consumers_only_applies_to_nobody_else() {
    let text = "
_format_version: '3.0'
consumers: [{username: c, plugins: [{name: p}]}]
plugins: [{name: wide}]
";
    let entities = declared(text);
    let index = PluginIndex::new(&entities);
    let names = |consumer| -> Vec<&str> {
        let choices = index.global_choices();
        choices
            .iter()
            .filter_map(|choice| choice.select(consumer))
            .map(|plugin| plugin.name.as_str())
            .collect()
    };
    assert_eq!(names(None), ["wide"]);
    assert_eq!(names(Some(entities.consumers[0].id)), ["p", "wide"]);
    assert_eq!(index.global().len(), 1);
}

#[test]
fn streams_have_plugins_of_their_own() {
    let entities = declared(CONFIGURATION);
    let names = |index: PluginIndex<'_>| -> Vec<String> {
        index.global().iter().map(|plugin| plugin.name.clone()).collect()
    };
    assert_eq!(names(PluginIndex::of_streams(&entities)), ["streams"]);
    assert_eq!(names(PluginIndex::new(&entities)), ["limited", "wide"]);
}

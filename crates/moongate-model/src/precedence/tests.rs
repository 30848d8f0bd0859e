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

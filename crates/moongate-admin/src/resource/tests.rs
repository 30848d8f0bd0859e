//! Which path names what.

use moongate_model::core::{RouterFlavor, catalog};

use super::*;

fn find(path: &str) -> Option<Resource> {
    Resource::find(&catalog(RouterFlavor::TraditionalCompatible).build().unwrap(), path)
}

#[test]
fn every_pattern_is_found_with_its_methods_and_no_double_slash_is() {
    let catalog = catalog(RouterFlavor::TraditionalCompatible).build().unwrap();
    for Pattern { path, methods, .. } in patterns(&catalog) {
        let resource = Resource::find(&catalog, &path).unwrap_or_else(|| panic!("{path}"));
        for method in methods {
            assert!(resource.takes(method), "{method} {path}");
        }
        assert!(Resource::find(&catalog, &format!("/{path}")).is_none(), "{path}");
    }
}

#[test]
fn a_slash_at_the_end_makes_no_difference_and_two_do() {
    assert!(matches!(find("/services/"), Some(Resource::Collection { parent: None, .. })));
    assert!(find("/services//").is_none());
    assert!(find("/services//routes").is_none());
}

#[test]
fn a_segment_is_decoded_after_the_path_was_cut_into_segments() {
    let Some(Resource::Entity { key, .. }) = find("/services/a%2Fb%20c") else { panic!() };
    assert_eq!(key, "a/b c");
}

#[test]
fn a_segment_that_is_not_utf_8_names_nothing() {
    assert!(find("/services/%ff").is_none());
}

#[test]
fn the_health_of_a_target_may_be_that_of_one_of_its_addresses() {
    let health = |path: &str| match find(path) {
        Some(Resource::Upstream { what: OfUpstream::TargetHealth { target, address, healthy }, .. }) => {
            Some((target, address, healthy))
        }
        _ => None,
    };
    let target = || "t:80".to_owned();
    assert_eq!(health("/upstreams/u/targets/t:80/healthy"), Some((target(), None, true)));
    let address = Some("1.2.3.4".to_owned());
    assert_eq!(health("/upstreams/u/targets/t:80/1.2.3.4/unhealthy"), Some((target(), address, false)));
    assert_eq!(health("/upstreams/u/targets/t:80/1/2/healthy"), None);
    assert_eq!(health("/upstreams/u/targets/t:80/fine"), None);
}

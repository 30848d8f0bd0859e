//! Snapshots that are built after others.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use moongate_model::RowChange;
use moongate_model::core::RouterFlavor;
use moongate_schema::{Catalog, Context, Object, Operation, SystemRandomness};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::chain::{Link, LinkLevel};
use crate::idle_plugins::IdlePlugins;

/// Something that changes what is served.
#[derive(Debug, Clone)]
enum Step {
    /// A row is stored, or deleted where there is none.
    Row(&'static str, Uuid, Option<Value>),
    /// A plugin has a new version.
    Reload(&'static str),
}

const PLUGINS: [&str; 2] = ["first", "second"];

/// Two certificates.
static CERTIFICATES: LazyLock<[(String, String); 2]> =
    LazyLock::new(|| std::array::from_fn(|_| crate::self_signed().unwrap()));

/// Entities of a kind are numbered; ids of one kind are not next to each other.
fn id(kind: u128, number: u128) -> Uuid {
    Uuid::from_u128((number << 64) + kind)
}

/// The schemas of the entities.
static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| moongate_model::core::catalog(RouterFlavor::default()).build().unwrap());

/// The entities after a row was stored, or deleted if there is none.
fn changed(entities: &Entities, entity: &str, id: Uuid, row: Option<Value>) -> Arc<Entities> {
    let row = row.map(|row| {
        let mut row: Object = serde_json::from_value(row).unwrap();
        row.insert("id".to_owned(), json!(id));
        let context = Context::new(1_700_000_000_000, &SystemRandomness);
        CATALOG.entity(entity).unwrap().complete(row, Operation::Insert, &context).unwrap()
    });
    Arc::new(entities.apply([RowChange { entity, id, row: row.as_ref() }]).unwrap())
}

fn reference(kind: u128, count: u128) -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), (0..count).prop_map(move |number| json!({"id": id(kind, number)}))]
}

fn service() -> impl Strategy<Value = Value> {
    let protocols = prop::sample::select(vec!["http", "https"]);
    let hosts = prop::sample::select(vec!["up", "other", "a.test"]);
    (protocols, hosts, any::<bool>(), reference(6, 2), 0..3).prop_map(
        |(protocol, host, enabled, certificate, retries)| {
            let certificate = if protocol == "https" { certificate } else { Value::Null };
            json!({
                "name": format!("s{retries}"), "protocol": protocol, "host": host, "port": 80, "enabled": enabled,
                "client_certificate": certificate, "retries": retries,
            })
        },
    )
}

fn route() -> impl Strategy<Value = Value> {
    (reference(0, 3), any::<bool>(), 0..3).prop_map(|(service, strip, path)| {
        json!({"name": format!("r{path}"), "service": service, "strip_path": strip, "paths": [format!("/{path}")]})
    })
}

fn plugin() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(PLUGINS.to_vec());
    (name, reference(1, 4), reference(0, 3), reference(3, 2), any::<bool>(), 0..2).prop_map(
        |(name, route, service, consumer, enabled, value)| {
            json!({
                "name": name, "route": route, "service": service, "consumer": consumer, "enabled": enabled,
                "config": {"value": value},
            })
        },
    )
}

fn upstream() -> impl Strategy<Value = Value> {
    (prop::sample::select(vec!["up", "other"]), reference(6, 2), 10..12).prop_map(
        |(name, certificate, slots)| json!({"name": name, "client_certificate": certificate, "slots": slots}),
    )
}

fn target() -> impl Strategy<Value = Value> {
    (0..2_u128, 1..3)
        .prop_map(|(upstream, weight)| json!({"upstream": {"id": id(4, upstream)}, "target": "127.0.0.1:80", "weight": weight}))
}

fn certificate() -> impl Strategy<Value = Value> {
    (0..2_usize).prop_map(|which| json!({"cert": CERTIFICATES[which].0, "key": CERTIFICATES[which].1}))
}

fn step() -> impl Strategy<Value = Step> {
    fn row(
        entity: &'static str,
        kind: u128,
        count: u128,
        row: impl Strategy<Value = Value>,
    ) -> impl Strategy<Value = Step> {
        (0..count, prop::option::weighted(0.8, row))
            .prop_map(move |(number, row)| Step::Row(entity, id(kind, number), row))
    }
    prop_oneof![
        4 => row("services", 0, 3, service()),
        4 => row("routes", 1, 4, route()),
        4 => row("plugins", 2, 6, plugin()),
        1 => row("upstreams", 4, 2, upstream()),
        1 => row("targets", 5, 3, target()),
        1 => row("certificates", 6, 2, certificate()),
        1 => prop::sample::select(PLUGINS.to_vec()).prop_map(Step::Reload),
    ]
}

/// All that requests find in a snapshot.
fn shown(snapshot: &Snapshot<IdlePlugins>) -> Value {
    let link = |link: &Link<IdlePlugins>| json!([&*link.name, format!("{:?}", link.binding)]);
    let chain = |chain: &Chain<IdlePlugins>| -> Value {
        let choices = chain.choices.iter().map(|choice| {
            let levels = choice.levels.iter().map(|level| match level {
                LinkLevel::Everybody(one) => link(one),
                LinkLevel::ByConsumer(links) => {
                    links.iter().map(|(id, one)| (id.to_string(), link(one))).collect()
                }
            });
            json!([choice.name, levels.collect::<Vec<_>>()])
        });
        let request = chain.request.iter().map(link);
        json!({"request": request.collect::<Vec<_>>(), "choices": choices.collect::<Vec<_>>()})
    };
    let upstream = |upstream: &Upstream| -> Value {
        let balancer = upstream.balancer.as_ref().map(|balancer| {
            let known = snapshot.balancers.by_name(&upstream.host).unwrap();
            assert!(Arc::ptr_eq(balancer, known), "a balancer that nobody keeps up");
            format!("{:?} {:?}", balancer.settings(), balancer.targets())
        });
        let tls = upstream.tls.as_ref().map(|tls| {
            tls.secure(&upstream.authority, Some(&upstream.host_header)).unwrap().pool.to_string()
        });
        json!([&*upstream.authority, upstream.retries, balancer, tls])
    };
    let routes = snapshot.routes.iter().map(|route| {
        json!({
            "matched": [route.matched.route_id, route.matched.route_name, route.matched.service_id, route.matched.service_name],
            "strip": route.strip_path,
            "chain": chain(&route.chain),
            "upstream": route.upstream.as_deref().map(upstream),
        })
    });
    json!({"routes": routes.collect::<Vec<_>>(), "global": chain(&snapshot.global)})
}

fn built(
    earlier: Option<&Snapshot<IdlePlugins>>,
    entities: &Arc<Entities>,
    plugins: &IdlePlugins,
) -> Snapshot<IdlePlugins> {
    Snapshot::build_after(earlier, Flavour::default(), Arc::clone(entities), plugins).unwrap()
}

proptest! {
    #[test]
    fn what_is_built_after_another_is_what_is_built_from_nothing(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let versions: BTreeMap<_, _> = PLUGINS.iter().map(|name| ((*name).to_owned(), 1)).collect();
        let plugins = IdlePlugins { versions: versions.into() };
        let mut entities = Arc::new(Entities::default());
        let mut snapshot = built(None, &entities, &plugins);
        for step in steps {
            match step {
                Step::Row(entity, id, row) => entities = changed(&entities, entity, id, row),
                Step::Reload(name) => *plugins.versions.lock().get_mut(name).unwrap() += 1,
            }
            snapshot = built(Some(&snapshot), &entities, &plugins);
            prop_assert_eq!(shown(&snapshot), shown(&built(None, &entities, &plugins)));
        }
    }
}

#[test]
fn what_a_change_does_not_concern_is_shared() {
    let plugins = IdlePlugins::default();
    let service = id(0, 0);
    let route = |path: &str| Some(json!({"paths": [path], "service": {"id": service}}));
    let host = |host: &str| Some(json!({"host": host}));
    let mut entities = changed(&Entities::default(), "services", service, host("a.test"));
    for number in 0..2 {
        entities = changed(&entities, "routes", id(1, number), route("/"));
    }
    let before = built(None, &entities, &plugins);
    let entities = changed(&entities, "routes", id(1, 1), route("/other"));
    let after = built(Some(&before), &entities, &plugins);
    let same = |at: usize| Arc::ptr_eq(&before.routes[at], &after.routes[at]);
    assert_eq!([same(0), same(1)], [true, false]);
    let entities = changed(&entities, "services", service, host("b.test"));
    let last = built(Some(&after), &entities, &plugins);
    assert!(last.routes.iter().all(|route| route.upstream.as_ref().unwrap().host == "b.test"));
}

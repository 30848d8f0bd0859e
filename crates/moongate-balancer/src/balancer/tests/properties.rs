use super::*;

const ALGORITHMS: [Algorithm; 4] =
    [Algorithm::RoundRobin, Algorithm::ConsistentHashing, Algorithm::LeastConnections, Algorithm::Latency];

proptest! {
    #[test]
    fn requests_go_to_somebody_healthy_if_there_is_anybody(
        algorithm in 0..4_usize,
        targets in prop::collection::vec((0_u32..200, any::<bool>()), 1..12),
        requests in prop::collection::vec((any::<u32>(), any::<u64>(), 0..4_usize), 1..40),
    ) {
        let mut settings = with(ALGORITHMS[algorithm]);
        settings.checks.passive.limits.tcp_failures = 1;
        let named: Vec<_> = (0..targets.len()).map(|at| format!("10.0.0.{at}:80")).collect();
        let weighted: Vec<_> =
            named.iter().zip(&targets).map(|(name, (weight, _))| (&**name, *weight)).collect();
        let balancer = balancer(settings, &weighted);
        for (name, (_, healthy)) in named.iter().zip(&targets) {
            balancer.set_health(name, None, *healthy).unwrap();
        }
        let usable: Vec<_> = named
            .iter()
            .zip(&targets)
            .filter(|(_, (weight, healthy))| *weight > 0 && *healthy)
            .map(|(name, _)| name.as_str())
            .collect();
        for (hash, random, tries) in requests {
            let mut tried = Vec::new();
            for _ in 0..=tries {
                let request = Request { hash: Some(hash), tried: &tried, now: NOW, random };
                match balancer.pick(&request) {
                    Ok(pick) => {
                        prop_assert!(usable.contains(&pick.authority().as_ref()), "{:?}", pick.authority());
                        tried.push(pick.id());
                        pick.took(Duration::from_micros(random & 0xffff), NOW);
                    }
                    Err(error) => {
                        prop_assert_eq!(error, NoPeer::Unavailable);
                        prop_assert!(usable.is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn counts_of_requests_under_way_end_at_zero(
        steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 1..60),
    ) {
        let targets = [("10.0.0.1:1", 3), ("10.0.0.2:1", 1), ("10.0.0.3:1", 7)];
        let balancer = balancer(with(Algorithm::LeastConnections), &targets);
        let mut under_way = Vec::new();
        for (begins, index) in steps {
            if begins || under_way.is_empty() {
                under_way.push(balancer.pick(&request()).unwrap());
            } else {
                under_way.swap_remove(index.index(under_way.len()));
            }
        }
        drop(under_way);
        for address in balancer.view.load().addresses.iter() {
            prop_assert_eq!(address.state.active.load(Ordering::Relaxed), 0);
        }
    }
}

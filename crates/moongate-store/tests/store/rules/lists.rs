use moongate_store::{Change, Offset, PageRequest, Store, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::place::Place;
use crate::rows::{id, insert, reference, row};

pub(crate) async fn pages_come_in_the_order_of_ids(place: Place) {
    let store = place.open().await;
    let rows: Vec<_> = (0..25).map(|n| row(json!({"port": n}))).collect();
    store.write(rows.iter().map(|row| Change::insert("services", row.clone())).collect()).await.unwrap();
    let mut ids: Vec<Uuid> = rows.iter().map(id).collect();
    ids.sort();
    assert_eq!(
        pages(&*store, "services", PageRequest::new(10)).await,
        [&ids[..10], &ids[10..20], &ids[20..]]
    );
    assert_eq!(pages(&*store, "services", PageRequest::new(25)).await, [&ids[..]]);
    // A row that is gone does not disturb those who were reading there.
    let page = store.page("services", &PageRequest::new(5)).await.unwrap();
    let next: Offset = page.next.unwrap().to_string().parse().unwrap();
    store.write(vec![Change::delete("services", ids[4]), Change::delete("services", ids[5])]).await.unwrap();
    let page =
        store.page("services", &PageRequest { offset: Some(next), ..PageRequest::new(1) }).await.unwrap();
    assert_eq!(id(&page.rows[0]), ids[6]);

    let empty = store.page("routes", &PageRequest::new(10)).await.unwrap();
    assert!(empty.rows.is_empty() && empty.next.is_none());
    let none = store.page("services", &PageRequest::new(0)).await.unwrap();
    assert!(none.rows.is_empty() && none.next.is_some());
    let unknown = store.page("planets", &PageRequest::new(10)).await;
    assert_eq!(unknown, Err(StoreError::UnknownEntity("planets".to_owned())));
}

pub(crate) async fn pages_can_be_narrowed_by_tags(place: Place) {
    let store = place.open().await;
    let tags = [json!(["a"]), json!(["a", "b"]), json!(["b", "c"]), json!([]), json!(null)];
    let rows: Vec<_> = (0..50).map(|n| row(json!({"port": n, "tags": tags[n % 5]}))).collect();
    store.write(rows.iter().map(|row| Change::insert("services", row.clone())).collect()).await.unwrap();
    for (filter, chosen) in
        [("a", &[0, 1][..]), ("a,b", &[1]), ("b,a", &[1]), ("a/c", &[0, 1, 2]), ("d", &[])]
    {
        let mut ids: Vec<Uuid> = rows
            .iter()
            .enumerate()
            .filter(|(n, _)| chosen.contains(&(n % 5)))
            .map(|(_, row)| id(row))
            .collect();
        ids.sort();
        let request = PageRequest { tags: Some(filter.parse().unwrap()), ..PageRequest::new(7) };
        let pages = pages(&*store, "services", request).await;
        assert_eq!(pages.concat(), ids, "{filter}");
        assert_eq!(pages.len(), ids.len().div_ceil(7).max(1), "{filter}");
    }
}

pub(crate) async fn pages_can_be_of_one_parent(place: Place) {
    let store = place.open().await;
    let parents = [row(json!({})), row(json!({}))];
    let routes: Vec<_> = (0..20).map(|n| row(json!({"service": reference(&parents[n % 2])}))).collect();
    let mut changes: Vec<Change> =
        parents.iter().map(|row| Change::insert("services", row.clone())).collect();
    changes.extend(routes.iter().map(|row| Change::insert("routes", row.clone())));
    changes.push(insert("routes", json!({})));
    store.write(changes).await.unwrap();
    for (n, parent) in parents.iter().enumerate() {
        let mut ids: Vec<Uuid> = routes.iter().skip(n).step_by(2).map(id).collect();
        ids.sort();
        let request =
            PageRequest { foreign: Some(("service".to_owned(), id(parent))), ..PageRequest::new(4) };
        assert_eq!(pages(&*store, "routes", request).await, [&ids[..4], &ids[4..8], &ids[8..]]);
    }
    let request =
        PageRequest { foreign: Some(("service".to_owned(), Uuid::new_v4())), ..PageRequest::new(4) };
    assert!(pages(&*store, "routes", request).await.concat().is_empty());
}

async fn pages(store: &dyn Store, entity: &str, mut request: PageRequest) -> Vec<Vec<Uuid>> {
    let mut pages = Vec::new();
    loop {
        let page = store.page(entity, &request).await.unwrap();
        pages.push(page.rows.iter().map(id).collect());
        match page.next {
            Some(next) => request.offset = Some(next),
            None => return pages,
        }
    }
}

pub(crate) async fn tags_are_listed(place: Place) {
    let store = place.open().await;
    let mut expected = Vec::new();
    let mut changes = Vec::new();
    for n in 0..10 {
        let entity = ["services", "routes", "consumers"][n % 3];
        let row = row(json!({"tags": ["x", format!("t{n}"), "y"]}));
        expected
            .extend(["x", &format!("t{n}"), "y"].map(|tag| (id(&row), tag.to_owned(), entity.to_owned())));
        changes.push(Change::insert(entity, row));
    }
    changes.push(insert("services", json!({})));
    store.write(changes).await.unwrap();
    expected.sort_by_key(|(id, _, _)| *id);

    let all = async |tag: Option<&str>, size: usize| {
        let (mut found, mut offset, mut sizes) = (Vec::new(), None, Vec::new());
        loop {
            let page = store.tags(tag, size, offset).await.unwrap();
            sizes.push(page.rows.len());
            found.extend(page.rows.into_iter().map(|row| (row.id, row.tag, row.entity)));
            match page.next {
                Some(next) => offset = Some(next.to_string().parse().unwrap()),
                None => return (found, sizes),
            }
        }
    };
    assert_eq!(all(None, 100).await, (expected.clone(), vec![30]));
    assert_eq!(all(None, 7).await, (expected.clone(), vec![7, 7, 7, 7, 2]));
    assert_eq!(all(None, 1).await.0, expected);
    let of_y: Vec<_> = expected.iter().filter(|(_, tag, _)| tag == "y").cloned().collect();
    assert_eq!(all(Some("y"), 4).await, (of_y, vec![4, 4, 2]));
    assert_eq!(all(Some("none"), 4).await, (Vec::new(), vec![0]));
}

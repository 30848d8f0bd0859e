//! The layout that a catalog of schemas asks for.

use moongate_schema::{Catalog, Field, FieldType, Schema};

use super::{Column, Foreign, Kind, Layout, OnDelete, Table, Unique};

impl Layout {
    /// The tables for all entities of `catalog` that are stored. `tags`, which are not, come from
    /// [`Store::tags`](crate::Store::tags).
    pub fn of(catalog: &Catalog) -> Self {
        let stored = catalog.entities().iter().filter(|schema| schema.is_stored());
        Self::new(stored.map(|schema| table_of(schema)))
    }
}

fn table_of(schema: &Schema) -> Table {
    let mut columns = vec![Column::new("id", Kind::Uuid)];
    let stored = schema.fields().iter().filter(|field| !field.transient && field.name != "id");
    columns.extend(stored.filter_map(|field| kind_of(field).map(|kind| Column::new(&field.name, kind))));
    let unique_fields = schema.fields().iter().filter(|field| field.is_unique() && field.name != "id");
    let mut uniques: Vec<Unique> = unique_fields.map(|field| Unique::new([&field.name])).collect();
    let cache_key = Unique::new(schema.cache_key_fields());
    if !cache_key.fields.is_empty() && !uniques.contains(&cache_key) {
        uniques.push(cache_key);
    }
    Table { name: schema.name().into(), columns, uniques, ttl: schema.has_ttl() }
}

fn kind_of(field: &Field) -> Option<Kind> {
    Some(match &field.kind {
        FieldType::String if field.rules.uuid => Kind::Uuid,
        FieldType::String => Kind::Text,
        FieldType::Integer if field.rules.timestamp => Kind::Timestamp,
        FieldType::Integer => Kind::Integer,
        FieldType::Number if field.rules.timestamp => Kind::Moment,
        FieldType::Number => Kind::Number,
        FieldType::Boolean => Kind::Boolean,
        FieldType::Array(elements) | FieldType::Set(elements) if elements.kind == FieldType::String => {
            Kind::Texts
        }
        FieldType::Foreign { reference, on_delete } => {
            let on_delete = match on_delete {
                moongate_schema::OnDelete::Restrict => OnDelete::Restrict,
                moongate_schema::OnDelete::Cascade => OnDelete::Cascade,
                moongate_schema::OnDelete::Null => OnDelete::SetNull,
            };
            Kind::Foreign(Foreign { references: reference.clone(), on_delete })
        }
        FieldType::Function => return None,
        _ => Kind::Json,
    })
}

#[cfg(test)]
mod tests {
    use moongate_schema::Auto;

    use super::*;

    #[test]
    fn fields_become_columns() {
        let parent = Schema::entity("parents")
            .field("id", Field::string().uuid().auto(Auto::Uuid))
            .field("name", Field::string().unique());
        let child = Schema::entity("children")
            .cache_key(&["name", "parent"])
            .with_ttl()
            .field("id", Field::string().uuid().auto(Auto::Uuid))
            .field("created_at", Field::integer().timestamp())
            .field("moved_at", Field::number().timestamp())
            .field("name", Field::string().unique())
            .field("parent", Field::foreign("parents").cascade())
            .field("paths", Field::array(Field::string()))
            .field("codes", Field::set(Field::integer()))
            .field("config", Field::record(Schema::record()))
            .field("later", Field::string().transient());
        let layout = Layout::of(&Catalog::builder(vec![child, parent]).build().unwrap());
        let table = layout.table("children").unwrap();
        let columns: Vec<_> =
            table.columns.iter().map(|column| (column.name.as_str(), &column.kind)).collect();
        let foreign =
            Kind::Foreign(Foreign { references: "parents".to_owned(), on_delete: OnDelete::Cascade });
        assert_eq!(
            columns,
            [
                ("id", &Kind::Uuid),
                ("created_at", &Kind::Timestamp),
                ("moved_at", &Kind::Moment),
                ("name", &Kind::Text),
                ("parent_id", &foreign),
                ("paths", &Kind::Texts),
                ("codes", &Kind::Json),
                ("config", &Kind::Json),
            ]
        );
        assert_eq!(table.uniques, [Unique::new(["name"]), Unique::new(["name", "parent"])]);
        assert!(table.ttl);
        assert_eq!(&*layout.tables()[0].name, "parents");
    }
}

//! What every store does.

mod lists;
mod reads;
mod relations;
mod time;
mod uniques;
mod writes;

pub(crate) use lists::*;
pub(crate) use reads::*;
pub(crate) use relations::*;
pub(crate) use time::*;
pub(crate) use uniques::*;
pub(crate) use writes::*;

macro_rules! for_each_rule {
    ($with:ident) => {
        $with! {
            a_row_is_read_as_it_was_written
            rows_are_found_by_what_is_unique
            unknown_entities_and_values_that_do_not_fit_are_refused
            another_layout_adds_entities_and_fields
            no_two_rows_have_the_same_unique_value
            nulls_are_unique_only_together
            an_id_is_taken_once
            of_many_who_want_a_name_one_gets_it
            a_foreign_key_must_refer_to_a_row
            what_is_referred_to_stays
            what_belongs_to_a_row_goes_with_it
            a_reference_can_become_null
            a_write_happens_whole_or_not_at_all
            a_lost_update_is_a_conflict
            an_upsert_makes_or_replaces
            a_removed_row_is_gone
            what_changes_nothing_is_no_version
            a_guard_can_refuse
            everything_can_be_replaced
            effects_lead_from_one_dataset_to_the_next
            writes_from_many_tasks_are_all_made
            pages_come_in_the_order_of_ids
            pages_can_be_narrowed_by_tags
            pages_can_be_of_one_parent
            tags_are_listed
            a_row_expires
            an_expired_row_is_in_nobodys_way
        }
    };
}
pub(crate) use for_each_rule;

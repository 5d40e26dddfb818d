-- Append-only guards of PostgreSQL: rows cannot be changed, deleted or truncated.
create or replace function sothu_append_only() returns trigger language plpgsql as
$$ begin raise exception using message = tg_table_name || ' is append-only',
  errcode = 'restrict_violation'; end $$
--;
create or replace function sothu_prices_fixed() returns trigger language plpgsql as
$$ begin
  if (select state from fee_schedules where id = old.schedule_id) <> 'draft' then
    raise exception 'prices of a schedule that left the draft are fixed' using errcode = 'restrict_violation';
  end if;
  if tg_op = 'DELETE' then return old; end if;
  return new;
end $$
--;
create or replace trigger guard_schedule_prices_change before update or delete on schedule_prices
for each row execute function sothu_prices_fixed()
--;
create or replace trigger guard_enrolments_delete before delete or truncate on enrolments
for each statement execute function sothu_append_only()
--;
create or replace function sothu_history_kept() returns trigger language plpgsql as
$$ begin
  -- Only the values of a child made anonymous may go; all else of the row stays.
  if tg_op = 'UPDATE' and new.old_value is null and new.new_value is null and new.reason = ''
    and (new.id, new.student_id, new.field, new.origin, new.actor, new.at)
      = (old.id, old.student_id, old.field, old.origin, old.actor, old.at)
    and new.school_id is not distinct from old.school_id
    and exists (select 1 from students s where s.id = old.student_id and s.anonymised_at is not null)
  then return new; end if;
  raise exception 'identity_changes is append-only' using errcode = 'restrict_violation';
end $$
--;
create or replace trigger guard_identity_changes_change before update or delete on identity_changes
for each row execute function sothu_history_kept()
--;
create or replace trigger guard_identity_changes_truncate before truncate on identity_changes
for each statement execute function sothu_append_only()
--;
create or replace function sothu_steps_kept() returns trigger language plpgsql as
$$ begin
  -- Only the words about a child made anonymous may go; all else of the step stays.
  if tg_op = 'UPDATE' and new.words = ''
    and (new.id, new.school_id, new.application_id, new.state, new.actor, new.at)
      = (old.id, old.school_id, old.application_id, old.state, old.actor, old.at)
    and new.actor_id is not distinct from old.actor_id
  then return new; end if;
  raise exception 'exemption_application_steps is append-only' using errcode = 'restrict_violation';
end $$
--;
create or replace trigger guard_exemption_application_steps_change before update or delete on exemption_application_steps
for each row execute function sothu_steps_kept()
--;
create or replace trigger guard_exemption_application_steps_truncate before truncate on exemption_application_steps
for each statement execute function sothu_append_only()

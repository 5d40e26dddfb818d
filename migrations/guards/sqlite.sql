-- Append-only guards of SQLite. The insert guards stop INSERT OR REPLACE on any connection,
-- also on one that never set recursive_triggers.
--;
drop trigger if exists guard_schedule_prices_update
--;
create trigger guard_schedule_prices_update before update on schedule_prices
when (select state from fee_schedules where id = old.schedule_id) not in ('draft')
begin select raise(abort, 'prices of a schedule that left the draft are fixed'); end
--;
drop trigger if exists guard_schedule_prices_delete
--;
create trigger guard_schedule_prices_delete before delete on schedule_prices
when (select state from fee_schedules where id = old.schedule_id) not in ('draft')
begin select raise(abort, 'prices of a schedule that left the draft are fixed'); end
--;
drop trigger if exists guard_enrolments_delete
--;
create trigger guard_enrolments_delete before delete on enrolments
begin select raise(abort, 'enrolments only ever end'); end
--;
drop trigger if exists guard_identity_changes_update
--;
create trigger guard_identity_changes_update before update on identity_changes
when new.old_value is not null or new.new_value is not null or new.reason <> ''
  or new.id <> old.id or new.student_id <> old.student_id or new.school_id is not old.school_id
  or new.field <> old.field or new.origin <> old.origin or new.actor <> old.actor or new.at <> old.at
  or not exists (select 1 from students s where s.id = old.student_id and s.anonymised_at is not null)
begin select raise(abort, 'identity_changes is append-only'); end
--;
drop trigger if exists guard_identity_changes_delete
--;
create trigger guard_identity_changes_delete before delete on identity_changes
begin select raise(abort, 'identity_changes is append-only'); end
--;
drop trigger if exists guard_identity_changes_insert
--;
create trigger guard_identity_changes_insert before insert on identity_changes
when exists (select 1 from identity_changes where id = new.id)
begin select raise(abort, 'identity_changes is append-only: the key exists'); end
--;
drop trigger if exists guard_exemption_application_steps_update
--;
create trigger guard_exemption_application_steps_update before update on exemption_application_steps
when new.words <> '' or new.id <> old.id or new.school_id <> old.school_id
  or new.application_id <> old.application_id or new.state <> old.state
  or new.actor <> old.actor or new.actor_id is not old.actor_id or new.at <> old.at
begin select raise(abort, 'exemption_application_steps is append-only'); end
--;
drop trigger if exists guard_exemption_application_steps_delete
--;
create trigger guard_exemption_application_steps_delete before delete on exemption_application_steps
begin select raise(abort, 'exemption_application_steps is append-only'); end
--;
drop trigger if exists guard_exemption_application_steps_insert
--;
create trigger guard_exemption_application_steps_insert before insert on exemption_application_steps
when exists (select 1 from exemption_application_steps where id = new.id)
begin select raise(abort, 'exemption_application_steps is append-only: the key exists'); end

-- Append-only guards of PostgreSQL: rows cannot be changed, deleted or truncated.
create or replace function sothu_append_only() returns trigger language plpgsql as
$$ begin raise exception using message = tg_table_name || ' is append-only',
  errcode = 'restrict_violation'; end $$
--;
create or replace trigger guard_accounts_change before update or delete on accounts
for each row execute function sothu_append_only()
--;
create or replace trigger guard_accounts_truncate before truncate on accounts
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_ledger_events_change before update or delete on ledger_events
for each row execute function sothu_append_only()
--;
create or replace trigger guard_ledger_events_truncate before truncate on ledger_events
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_entries_change before update or delete on entries
for each row execute function sothu_append_only()
--;
create or replace trigger guard_entries_truncate before truncate on entries
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_seals_change before update or delete on seals
for each row execute function sothu_append_only()
--;
create or replace trigger guard_seals_truncate before truncate on seals
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_audit_rows_change before update or delete on audit_rows
for each row execute function sothu_append_only()
--;
create or replace trigger guard_audit_rows_truncate before truncate on audit_rows
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_audit_seals_change before update or delete on audit_seals
for each row execute function sothu_append_only()
--;
create or replace trigger guard_audit_seals_truncate before truncate on audit_seals
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_invoices_change before update or delete on invoices
for each row execute function sothu_append_only()
--;
create or replace trigger guard_invoices_truncate before truncate on invoices
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_invoice_lines_change before update or delete on invoice_lines
for each row execute function sothu_append_only()
--;
create or replace trigger guard_invoice_lines_truncate before truncate on invoice_lines
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_payment_requests_change before update or delete on payment_requests
for each row execute function sothu_append_only()
--;
create or replace trigger guard_payment_requests_truncate before truncate on payment_requests
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_payment_codes_change before update or delete on payment_codes
for each row execute function sothu_append_only()
--;
create or replace trigger guard_payment_codes_truncate before truncate on payment_codes
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_receipts_change before update or delete on receipts
for each row execute function sothu_append_only()
--;
create or replace trigger guard_receipts_truncate before truncate on receipts
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_receipt_voids_change before update or delete on receipt_voids
for each row execute function sothu_append_only()
--;
create or replace trigger guard_receipt_voids_truncate before truncate on receipt_voids
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_receipt_codes_change before update or delete on receipt_codes
for each row execute function sothu_append_only()
--;
create or replace trigger guard_receipt_codes_truncate before truncate on receipt_codes
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_inbox_notices_change before update or delete on inbox_notices
for each row execute function sothu_append_only()
--;
create or replace trigger guard_inbox_notices_truncate before truncate on inbox_notices
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_inbox_outcomes_change before update or delete on inbox_outcomes
for each row execute function sothu_append_only()
--;
create or replace trigger guard_inbox_outcomes_truncate before truncate on inbox_outcomes
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_payments_change before update or delete on payments
for each row execute function sothu_append_only()
--;
create or replace trigger guard_payments_truncate before truncate on payments
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_matchings_change before update or delete on matchings
for each row execute function sothu_append_only()
--;
create or replace trigger guard_matchings_truncate before truncate on matchings
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_reversals_change before update or delete on reversals
for each row execute function sothu_append_only()
--;
create or replace trigger guard_reversals_truncate before truncate on reversals
for each statement execute function sothu_append_only()
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
create or replace trigger guard_photo_consents_change before update or delete on photo_consents
for each row execute function sothu_append_only()
--;
create or replace trigger guard_photo_consents_truncate before truncate on photo_consents
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_photo_withdrawals_change before update or delete on photo_withdrawals
for each row execute function sothu_append_only()
--;
create or replace trigger guard_photo_withdrawals_truncate before truncate on photo_withdrawals
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_verification_results_change before update or delete on verification_results
for each row execute function sothu_append_only()
--;
create or replace trigger guard_verification_results_truncate before truncate on verification_results
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
create or replace trigger guard_invoice_withdrawals_change before update or delete on invoice_withdrawals
for each row execute function sothu_append_only()
--;
create or replace trigger guard_invoice_withdrawals_truncate before truncate on invoice_withdrawals
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_gifts_change before update or delete on gifts
for each row execute function sothu_append_only()
--;
create or replace trigger guard_gifts_truncate before truncate on gifts
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
--;
create or replace trigger guard_parents_agreements_change before update or delete on parents_agreements
for each row execute function sothu_append_only()
--;
create or replace trigger guard_parents_agreements_truncate before truncate on parents_agreements
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_item_accounts_change before update or delete on item_accounts
for each row execute function sothu_append_only()
--;
create or replace trigger guard_item_accounts_truncate before truncate on item_accounts
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_consent_scans_change before update or delete on consent_scans
for each row execute function sothu_append_only()
--;
create or replace trigger guard_consent_scans_truncate before truncate on consent_scans
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_statements_change before update or delete on statements
for each row execute function sothu_append_only()
--;
create or replace trigger guard_statements_truncate before truncate on statements
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_statement_rows_change before update or delete on statement_rows
for each row execute function sothu_append_only()
--;
create or replace trigger guard_statement_rows_truncate before truncate on statement_rows
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_statement_findings_change before update or delete on statement_findings
for each row execute function sothu_append_only()
--;
create or replace trigger guard_statement_findings_truncate before truncate on statement_findings
for each statement execute function sothu_append_only()
--;
create or replace trigger guard_till_counts_change before update or delete on till_counts
for each row execute function sothu_append_only()
--;
create or replace trigger guard_till_counts_truncate before truncate on till_counts
for each statement execute function sothu_append_only()
